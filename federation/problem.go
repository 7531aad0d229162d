package federation

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// maxAccept is how many bytes of Accept headers are read.
const maxAccept = 1 << 10

// wantsProblem tells if errors are to be answered as application/problem+json
// (RFC 9457) and not as the envelope: the Accept header names that media type
// itself, with a weight above 0 and not below the weight of application/json.
// A wildcard asks for neither, so clients that never heard of problem details
// ("*/*", or no header at all) get the envelope. A range that does not parse
// counts as absent, and so does a header of more than 1 KiB: to read a long one
// costs more than all else that is done for a client that is turned away.
func wantsProblem(header http.Header) bool {
	accepts := header["Accept"]
	if len(accepts) == 0 {
		return false
	}
	var problem, envelope float64
	length := 0
	for _, accept := range accepts {
		if length += len(accept); length > maxAccept {
			return false
		}
		for part := range strings.SplitSeq(accept, ",") {
			media, weight := acceptedRange(part)
			switch media {
			case contentTypeProblem:
				problem = max(problem, weight)
			case contentTypeJSON:
				envelope = max(envelope, weight)
			}
		}
	}
	return problem > 0 && problem >= envelope
}

// acceptedRange returns the lower-case media type of one element of an Accept
// header and its weight (RFC 9110, sections 12.4.2 and 12.5.1).
func acceptedRange(element string) (media string, weight float64) {
	media, params, err := mime.ParseMediaType(element)
	if err != nil {
		return "", 0
	}
	q, given := params["q"]
	if !given {
		return media, 1
	}
	weight, err = strconv.ParseFloat(q, 64)
	if err != nil || weight > 1 || strings.Trim(q, "0123456789.") != "" {
		return "", 0
	}
	return media, weight
}
