package figures

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAPictureIsXMLWhateverIsWrittenInIt(t *testing.T) {
	p := NewPicture("<title> & more", 100)
	p.Text("small", 0, 14, `the seed's <lock> & "flock"`)
	p.Bar("ours", 10, 10, 20, 12)
	p.Line("limit", 30, 0, 100)
	p.Shape("red", `<circle r="6"/>`, 5, 5)
	p.Note(14, "× 2")
	decoder := xml.NewDecoder(strings.NewReader(p.String()))
	var text strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v\n%s", err, p)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
	for _, want := range []string{"<title> & more", `the seed's <lock> & "flock"`, "× 2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the picture says %q and not %q", text.String(), want)
		}
	}
	if !strings.Contains(p.String(), `width="1.0"`) {
		t.Errorf("a bar of no length does not show:\n%s", p)
	}
}

func TestScalesGiveValuesTheirPlaces(t *testing.T) {
	linear, log := LinearScale(100, 300, 8), LogScale(100, 300, 1, 3)
	for _, row := range []struct {
		scale       Scale
		value, want float64
	}{
		{linear, 0, 100}, {linear, 4, 200}, {linear, 8, 300},
		{log, 10, 100}, {log, 100, 200}, {log, 1000, 300},
	} {
		if got := row.scale.X(row.value); got != row.want {
			t.Errorf("%v is at %v and not at %v", row.value, got, row.want)
		}
	}
}
