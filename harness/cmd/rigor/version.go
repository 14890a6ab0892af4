package main

import (
	"fmt"
	"runtime"

	"rigor/firmware/images"
	"rigor/harness"
)

type versionCmd struct{}

// Run prints the versions of the harness and of what built its images.
func (versionCmd) Run() error {
	fmt.Printf("rigor %s, %s\n", harness.Version(), runtime.Version())
	names, err := images.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		image, err := images.Open(name)
		if err != nil {
			return err
		}
		fmt.Printf("image %s, sha256 %.12s, built by %v\n", name, image.SHA256, image.Toolchain)
	}
	return nil
}
