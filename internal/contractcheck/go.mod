module github.com/mosaicstack/fedkit/internal/contractcheck

go 1.26.0

replace github.com/mosaicstack/fedkit => ../../

require github.com/santhosh-tekuri/jsonschema/v6 v6.0.3

require github.com/mosaicstack/fedkit v0.0.0

require golang.org/x/text v0.14.0 // indirect
