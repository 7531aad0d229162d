module github.com/mosaicstack/fedkit/federation/ratelimit

go 1.26.0

require (
	github.com/mosaicstack/fedkit v0.0.0
	golang.org/x/time v0.15.0
)

replace github.com/mosaicstack/fedkit => ../../
