package pglock

// Unchecked is New without the check.
func Unchecked(cfg Config) *Register {
	r, err := newRegister(cfg)
	if err != nil {
		panic(err)
	}
	return r
}
