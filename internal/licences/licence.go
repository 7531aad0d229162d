package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	classifier "github.com/google/licenseclassifier/v2"
)

// found are the licences of a module by their SPDX identifiers.
type found struct {
	own   []string
	parts []string // of what the module has taken from others, or the file to look into
}

var (
	// own is the file of a module's own licence, parts one beside it.
	own   = regexp.MustCompile(`(?i)^(LICEN[CS]E|COPYING)(\.(md|txt))?$`)
	parts = regexp.MustCompile(`(?i)^((LICEN[CS]E|COPYING)[-_.]|NOTICES?\.(md|txt)$|THIRD.PARTY)`)
)

// read reads the licences of a module. That there is none which it knows is an error:
// somebody has to look.
func read(known *classifier.Classifier, m module) (found, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return found{}, err
	}
	var f found
	for _, entry := range entries {
		isOwn := own.MatchString(entry.Name())
		if entry.IsDir() || !isOwn && !parts.MatchString(entry.Name()) || filepath.Ext(entry.Name()) == ".go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return found{}, err
		}
		switch licences := identifiers(known, text); {
		case isOwn:
			f.own = append(f.own, licences...)
		case len(licences) == 0:
			f.parts = append(f.parts, "see "+entry.Name())
		default:
			f.parts = append(f.parts, licences...)
		}
	}
	if len(f.own) == 0 {
		return found{}, errors.New("no file in it has a licence that is known")
	}
	f.own, f.parts = unique(f.own), unique(f.parts)
	return f, nil
}

// identifiers returns the licences in a text.
func identifiers(known *classifier.Classifier, text []byte) []string {
	var names []string
	for _, m := range known.Match(text).Matches {
		if m.MatchType == "License" {
			names = append(names, m.Name)
		}
	}
	return names
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
