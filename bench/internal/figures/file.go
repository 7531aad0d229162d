package figures

import "os"

// Save writes a file, unless it has no name.
func Save(name, text string) error {
	if name == "" {
		return nil
	}
	return os.WriteFile(name, []byte(text), 0o666)
}
