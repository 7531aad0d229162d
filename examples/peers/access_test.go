package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// contrasts returns each text whose contrast with what is behind it is below 4.5, which
// is what WCAG 2.2 asks for (success criterion 1.4.3), and how many texts there are.
const contrasts = `(() => {
	const channels = text => text.match(/[\d.]+/g).map(Number);
	const luminance = rgb => rgb.slice(0, 3)
		.map(c => c / 255)
		.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = e => {
		for (; e; e = e.parentElement) {
			const rgba = channels(getComputedStyle(e).backgroundColor);
			if (rgba.length === 3 || rgba[3] === 1) return rgba;
		}
		return [255, 255, 255];
	};
	const texts = [...document.body.querySelectorAll("*")].filter(e =>
		[...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim()));
	const low = [];
	for (const e of texts) {
		const [dark, light] = [luminance(channels(getComputedStyle(e).color)), luminance(ground(e))].sort((a, b) => a - b);
		const ratio = (light + 0.05) / (dark + 0.05);
		if (ratio < 4.5) low.push(e.innerText + ": " + ratio.toFixed(2));
	}
	return {Texts: texts.length, Low: low};
})()`

func TestThePageCanBeReadInTheLightAndInTheDark(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	gateways, url := startPage(t)
	grounds := make(map[string]bool)
	for _, state := range []string{"well", "partly", "offline", "gone"} {
		switch state {
		case "partly":
			gateways.kill(west)
		case "offline":
			gateways.kill(east)
		case "gone":
			gateways.kill(home)
		}
		b.open(url)
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{320, 1280} {
				b.dress(scheme, width)
				found := do(b, chromedp.Evaluate[struct {
					Texts int
					Low   []string
				}](contrasts))
				if found.Texts < 5 || len(found.Low) > 0 {
					t.Errorf("%s, %s: of %d texts these are hard to read: %q", state, scheme, found.Texts, found.Low)
				}
				if wide := do(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > int(width) {
					t.Errorf("%s: the page is %d wide on a screen of %d", state, wide, width)
				}
				b.picture(fmt.Sprintf("%s-%s-%d", state, scheme, width))
			}
			grounds[do(b, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))] = true
		}
	}
	if len(grounds) != 2 {
		t.Errorf("the grounds of light and dark are %v, want two", grounds)
	}
}

func TestAssistiveTechnologyGetsTheWholePage(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	gateways, url := startPage(t)
	gateways.kill(west)
	b.open(url)
	outline := b.outline()
	for _, want := range []string{
		"RootWebArea Federation partly offline – Tasks of all gateways",
		"heading Tasks of all gateways",
		"alert ",
		"heading Federation partly offline",
		"region Sources",
		"region Tasks",
		"table Tasks",
		"columnheader Source",
		"columnheader Task",
		"cell peer:east",
		"cell Sharpen the chisels",
		"navigation Pages",
		"link Next page",
		"link Load again",
	} {
		if !slices.Contains(outline, want) {
			t.Errorf("there is no %q in the page as it is read aloud:\n%s", want, strings.Join(outline, "\n"))
		}
	}
	if lang := do(b, chromedp.Evaluate[string](`document.documentElement.lang`)); lang != "en" {
		t.Errorf("the language of the page is %q, want en", lang)
	}
}
