module github.com/mosaicstack/fedkit/bench

go 1.26.0

replace (
	github.com/mosaicstack/fedkit => ../
	github.com/mosaicstack/fedkit/federation/ratelimit => ../federation/ratelimit
)

require (
	github.com/alexflint/go-filemutex v1.3.0
	github.com/gofrs/flock v0.13.2
	github.com/lib/pq v1.12.3
	github.com/mosaicstack/fedkit v0.0.0
	github.com/mosaicstack/fedkit/federation/ratelimit v0.0.0
	github.com/nightlyone/lockfile v1.0.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sys v0.49.0
	gorm.io/driver/postgres v1.6.3
	gorm.io/gorm v1.31.2
)

require (
	github.com/Masterminds/squirrel v1.5.4 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.10.0 // indirect
	github.com/jackc/puddle/v2 v2.2.2 // indirect
	github.com/jinzhu/inflection v1.0.0 // indirect
	github.com/jinzhu/now v1.1.5 // indirect
	github.com/lann/builder v0.0.0-20180802200727-47ae307949d0 // indirect
	github.com/lann/ps v0.0.0-20150810152359-62de8c46ede0 // indirect
	golang.org/x/sync v0.17.0 // indirect
	golang.org/x/text v0.29.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)
