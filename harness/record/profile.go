package record

import (
	"io"
	"os"
	"path/filepath"
)

// Profile keeps where cycles went as profiles/NAME.json, in place of an earlier one, and gives the file's path below
// the bundle's folder.
func (b *Bundle) Profile(name string, write func(io.Writer) error) (file string, err error) {
	if err := os.MkdirAll(filepath.Join(b.dir, profilesDir), 0o755); err != nil {
		return "", err
	}
	file = filepath.Join(profilesDir, slug(name)+".json")
	return file, b.WriteFile(file, write)
}

const profilesDir = "profiles" // made when there is one
