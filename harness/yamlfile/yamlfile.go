// Package yamlfile reads the project's YAML files strictly: an unknown key, a
// wrong type or a duplicate key is an error that begins with file:line, and so
// are the mistakes that a reader finds afterwards.
package yamlfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// File is a file that was decoded, for finding lines.
type File struct {
	name string
	root yaml.Node
}

// Decode decodes text into v.
func Decode(name string, text []byte, v any) (*File, error) {
	f := &File{name: name}
	if err := yaml.Load(text, v, yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		return nil, located(name, err)
	}
	if err := yaml.Load(text, &f.root); err != nil {
		return nil, located(name, err)
	}
	return f, nil
}

// Errorf makes an error about the entry at path (map keys and list indices), or
// about the nearest entry above it that exists.
func (f *File) Errorf(path []any, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.name, f.line(path), fmt.Errorf(format, args...))
}

func (f *File) line(path []any) int {
	n := &f.root
	if len(n.Content) > 0 {
		n = n.Content[0]
	}
	line := max(n.Line, 1)
	for _, step := range path {
		if n = child(n, step, &line); n == nil {
			break
		}
	}
	return line
}

// child finds an entry and moves line to it.
func child(n *yaml.Node, step any, line *int) *yaml.Node {
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			*line = n.Content[s].Line
			return n.Content[s]
		}
	case string:
		for k := 0; n.Kind == yaml.MappingNode && k+1 < len(n.Content); k += 2 {
			if n.Content[k].Value == s {
				*line = n.Content[k].Line
				return n.Content[k+1]
			}
		}
	}
	return nil
}

// located puts file and line in front of each error of the YAML package, and
// says what it means without Go's type names.
func located(file string, err error) error {
	var one *yaml.LoadError
	var many *yaml.LoadErrors
	switch {
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return fmt.Errorf("%s: %w", file, err)
	}
	var errs []error
	for _, e := range many.Errors {
		errs = append(errs, fmt.Errorf("%s:%d: %s", file, max(e.Mark.Line, 1), plain(e.Message)))
	}
	return errors.Join(errs...)
}

var (
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type .*`)
	wrongType  = regexp.MustCompile("^cannot construct \\S+ (`.*`) into (\\S+)$")
)

// plain says a message of the YAML package in the words of the file.
func plain(message string) string {
	if strings.Contains(message, "no documents in stream") {
		return "the file is empty"
	}
	message = unknownKey.ReplaceAllString(message, "unknown key $1")
	return wrongType.ReplaceAllString(message, "$1 is of the wrong type: want $2")
}
