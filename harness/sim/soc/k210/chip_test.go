package k210

import (
	"reflect"
	"testing"

	"rigor/harness/sim/soc/soctest"
)

func TestNamesAreCurrent(t *testing.T) { soctest.NamesAreCurrent(t, "k210") }

func TestStateIsPlain(t *testing.T) { soctest.IsPlain(t, "state", reflect.TypeFor[state]()) }

func TestFirmwareFromSnapshot(t *testing.T) {
	r, _ := boots(t, "echo")
	soctest.GoesTheSameWay(t, r.chip)
}
