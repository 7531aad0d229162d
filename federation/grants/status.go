package grants

// A Status is where a grant stands in its life. The zero Status is none, and a grant
// that has it may not be used.
type Status string

const (
	// Pending: made, and not yet accepted by the peer.
	Pending Status = "pending"
	// Active: may be used, from NotBefore to Expires.
	Active Status = "active"
	// Expired: ended in peace. It may still be revoked.
	Expired Status = "expired"
	// Revoked: taken back, for good.
	Revoked Status = "revoked"
)
