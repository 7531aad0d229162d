module github.com/mosaicstack/fedkit/bench

go 1.26.0

replace github.com/mosaicstack/fedkit => ../

require (
	github.com/alexflint/go-filemutex v1.3.0
	github.com/gofrs/flock v0.13.2
	github.com/mosaicstack/fedkit v0.0.0
	github.com/nightlyone/lockfile v1.0.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sys v0.49.0
)
