//go:build !tinygo

package defect

var planted Defect

// Plant makes d wrong from now on, until what it returns is called.
func Plant(d Defect) (remove func()) {
	before := planted
	planted = d
	return func() { planted = before }
}
