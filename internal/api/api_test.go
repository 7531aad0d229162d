package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestTheListOfExportedNamesIsThatOfTheCode(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../docs/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, err := describe(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("what hosts can see has changed (-docs/api.txt +code); if it is meant to, run make api:\n%s", diff)
	}
}

func TestEveryKindOfDeclarationIsListedAsHostsSeeIt(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{
		"part/one_linux.go": {Data: []byte(`package part
func Both(name string) error { return nil }
func hidden() {}
type Config struct {
	Name, Title string // what it is
	Hook func(a, b int) (n int, err error)
	Deep struct{ A int }
	sealed bool
	Embedded
}
type Open interface { Read(p []byte) (n int, err error); io.Closer }
type Sealed interface { Close(); seal() }
`)},
		"part/one_darwin.go": {Data: []byte(`package part
func Both(other string) error { return nil }
`)},
		"part/two.go": {Data: []byte(`package part
type Kind uint8
const (
	A Kind = iota + 1
	B
	c
	D = "untyped"
)
var ErrA, errB = 1, 2
type Alias = Kind
type List[T any, K ~int | ~string] []T
func (l *List[T, K]) Add(t ...T) {}
func (Kind) String() string { return "" }
func (k *kind) Out() {}
func Map[T any](in []T, f func(T) bool) (out map[string]T, ok bool) { return nil, false }
`)},
		"part/two_test.go":          {Data: []byte("package part\nfunc Tested() {}\n")},
		"part/internal/x/x.go":      {Data: []byte("package x\nfunc Inside() {}\n")},
		"examples/program/main.go":  {Data: []byte("package program\nfunc Shown() {}\n")},
		"tool/main.go":              {Data: []byte("package main\nfunc Run() {}\n")},
		"documentation/doc.go":      {Data: []byte("// Package documentation is.\npackage documentation\n")},
		"other/part/testdata/go.go": {Data: []byte("package broken {")},
	}
	got, err := describe(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := `package github.com/mosaicstack/fedkit/part

const A Kind
const B Kind
const D
func Both(string) error
func Map[T any]([]T, func(T) bool) (map[string]T, bool)
method (*List[T, K]) Add(...T)
method (Kind) String() string
type Alias = Kind
type Config struct
type Config struct, Deep struct{ A int }
type Config struct, Hook func(int, int) (int, error)
type Config struct, Name string
type Config struct, Title string
type Config struct, embedded Embedded
type Kind uint8
type List[T any, K ~int | ~string] []T
type Open interface
type Open interface, Read([]byte) (int, error)
type Open interface, embedded io.Closer
type Sealed interface
type Sealed interface, Close()
type Sealed interface, unexported methods
var ErrA
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the list of a package (-want +got):\n%s", diff)
	}
}

func TestASourceThatDoesNotParseIsNamed(t *testing.T) {
	t.Parallel()
	_, err := describe(fstest.MapFS{"part/broken.go": {Data: []byte("package {")}})
	if err == nil || !strings.Contains(err.Error(), "part/broken.go") {
		t.Errorf("the error is %v, want one that names part/broken.go", err)
	}
}
