package main

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// A view is what the template shows.
type view struct {
	Style   template.CSS
	At      time.Time
	Notice  *notice
	Sources []sourceView
	Rows    []rowView
	First   bool   // there is a link to the first page
	Next    string // cursor of the next page, empty: none
	Again   bool   // the same page may be another one, if it is loaded again
	This    string // cursor of this page, empty: the first one
	status  int
}

// Listed tells if there is a list, be it empty.
func (v view) Listed() bool { return v.status == http.StatusOK }

// A notice says that something is not as it should be.
type notice struct {
	Heading, Text string
	Offline       bool // of all that could be asked, nothing or home alone answers
}

// A sourceView is the state of one source.
type sourceView struct {
	Name, State string
	Well        bool
	Hue         int
}

// A rowView is a row, and the hue of its source.
type rowView struct {
	task
	Hue int
}

// hues is how many colours there are to tell sources apart. They only help the eye: each
// row has the name of its source.
const hues = 3

// shown is the view of a list.
func shown(tasks []task, list federation.Page, token string) view {
	v := view{status: http.StatusOK, First: token != "", Next: list.Next, This: token, Notice: noticeOf(list)}
	hue := make(map[string]int)
	for i, s := range list.Sources {
		hue[s.Name] = i % hues
		v.Again = v.Again || !isWell(s)
		v.Sources = append(v.Sources, sourceView{Name: s.Name, State: stateOf(s), Well: isWell(s), Hue: i % hues})
	}
	for _, t := range tasks {
		v.Rows = append(v.Rows, rowView{t, hue[t.Source]})
	}
	return v
}

// isWell tells if a source has given what it has.
func isWell(s federation.SourceStatus) bool {
	return s.State == federation.SourceOK || s.State == federation.SourceExhausted
}

// stateOf says in words how a source is.
func stateOf(s federation.SourceStatus) string {
	why := inWords(s.Code)
	switch s.State {
	case federation.SourceOK:
		return "answers"
	case federation.SourceExhausted:
		return "answers, and has no more"
	case federation.SourceSkipped:
		return "not asked: " + why
	case federation.SourceDenied:
		return "refuses: " + why
	}
	return "failed: " + why
}

func inWords(code federation.ErrorCode) string { return strings.ReplaceAll(string(code), "_", " ") }

// noticeOf says what is missing in a list, or nil.
func noticeOf(list federation.Page) *notice {
	var missing []string
	peers := 0
	for _, s := range list.Sources {
		if s.Name == string(federation.SourceLocal) && isWell(s) {
			continue
		}
		peers++
		if !isWell(s) {
			missing = append(missing, s.Name)
		}
	}
	switch {
	case len(missing) > 0 && len(missing) == peers:
		return &notice{"Federation offline", "No other gateway answers. These are the tasks of home alone.", true}
	case len(missing) > 0:
		return &notice{"Federation partly offline", "Tasks are missing here, those of " + strings.Join(missing, " and ") + ".", false}
	case list.Partial:
		return &notice{"Tasks are missing", "A gateway was offline on a page before this one. It answers again: begin with the first page to see its tasks.", false}
	}
	return nil
}

// homeOffline is the view if the gateway that is asked for the list does not give it.
func homeOffline(err error, token string) view {
	why := "no answer"
	if failed := (*federation.PeerError)(nil); errors.As(err, &failed) {
		why = inWords(failed.Code)
	}
	text := fmt.Sprintf("The gateway home gives no list: %s.", why)
	return view{
		status: http.StatusServiceUnavailable, First: token != "", Again: true, This: token,
		Notice: &notice{"Federation offline", text, true},
	}
}

// badLink is the view of an address with a cursor that is none.
func badLink() view {
	return view{status: http.StatusBadRequest, First: true, Notice: &notice{
		"No such page", "The address does not belong to this list, or not any more.", false,
	}}
}
