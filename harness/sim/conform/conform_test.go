package conform

import (
	"compress/gzip"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const zeros14 = `"00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000","00000000"`

// movs is MOVS r0, #42 (0x202A, DDI0403E A7.7.76), with r0 at the end as given.
func movs(id int, r0 string) string {
	return fmt.Sprintf(`{"id":%d,"cls":"mov","asm":["movs r0, #42"],"addr":"20000800","code":"2a20","r":["00000007",%s],"xpsr":"01000000",`+
		`"out":{"r":["%s",%s],"pc":"20000802","xpsr":"01000000"}}`+"\n", id, zeros14, r0, zeros14)
}

// str is STR r0, [r1] (0x6008) of 0x01020304 to 0x20000100, where mem changes as given.
func str(id int, changed string) string {
	r := `"01020304","20000100"` + zeros14[10:]
	return fmt.Sprintf(`{"id":%d,"cls":"store","asm":["str r0, [r1]"],"addr":"20000800","code":"0860","r":[%s],"xpsr":"01000000","mem":[["20000100","ffffffffff"]],`+
		`"out":{"r":[%s],"pc":"20000802","xpsr":"01000000","mem":%s}}`+"\n", id, r, r, changed)
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if filepath.Ext(name) != ".gz" {
		_, err = f.WriteString(content)
	} else {
		z := gzip.NewWriter(f)
		z.Write([]byte(content))
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrograms(t *testing.T) {
	const stored = `[["20000100","04030201"]]`
	for _, c := range []struct {
		name, text string
		machine    fake
		want       Class
		diff       string // of the first mismatch
	}{
		{"pass", movs(1, "0000002a") + str(2, stored), fake{}, Class{Passed: 2}, ""},
		{"register", movs(1, "0000002b"), fake{}, Class{Failed: 1}, "r0           got 0000002a, want 0000002b"},
		{"start", movs(1, "0000002b"), fake{}, Class{Failed: 1}, "start r0=7 xpsr=01000000"},
		{"memory", str(1, `[["20000100","04030200"]]`), fake{}, Class{Failed: 1}, "[20000103]   got 01, want 00"},
		{"memory that must stay", str(1, `[]`), fake{}, Class{Failed: 1}, "[20000100]   got 04030201, want ffffffff"},
		{"memory nobody gave", str(1, stored), fake{stray: true}, Class{Failed: 1}, "[20000164]   got 01, want 00"},
		{"damage is repaired", str(1, `[]`) + str(2, stored), fake{}, Class{Passed: 1, Failed: 1}, "id 1 (store)"},
		{"fault", strings.Replace(movs(1, "0000002a"), "2a20", "ffff", 1), fake{}, Class{Failed: 1}, "undefined instruction ffff at 0x20000800"},
		{"astray", strings.Replace(movs(1, "0000002a"), "20000802", "20000000", 1), fake{}, Class{Failed: 1}, "to get to 0x20000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep, err := Run(file(t, "thumb2-test.jsonl", c.text), &c.machine)
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, &rep, c.want, c.diff)
		})
	}
}

func checkReport(t *testing.T, rep *Report, want Class, diff string) {
	t.Helper()
	want.Name = "all"
	if got := rep.Total(); got != want {
		t.Errorf("total %+v, want %+v", got, want)
	}
	if rep.OK() != (want.Failed == 0) {
		t.Errorf("OK() = %t with %d failures", rep.OK(), want.Failed)
	}
	var b strings.Builder
	if err := rep.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), diff) {
		t.Errorf("no %q in the report:\n%s", diff, b.String())
	}
}

func TestTraces(t *testing.T) {
	// MOVS r0, #42, of which the fake sets no flags.
	const text = `{"cls":"mov","asm":["movs r0, #42"],"code":"2a20","fields":["apsr","rd","rn"],"regs":{"rd":"r0","rn":"r3"},` +
		`"inp":["90000000 1 5","0 1 5","0 1 5"],"out":["90000000 2a 5","0 2b 5","40000000 2a 5"]}`
	rep, err := Run(file(t, "vixl-t32.jsonl.gz", text), &fake{})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, &rep, Class{Passed: 1, Failed: 2}, "id 1.1 (mov) movs r0, #42\n    start apsr=0 rd=1 rn=5\n    r0           got 0000002a, want 0000002b\n")
	checkReport(t, &rep, Class{Passed: 1, Failed: 2}, "apsr         got 0, want 40000000")
}

func TestEncodings(t *testing.T) {
	const text = "00bf\tV\tnop\n" + "10bf\tV\tyield\n" + "0000\t-\t\n" + "0100\tU\tsomething\n" + "2a20\tV\tmovs r0, #42\n"
	rep, err := Run(file(t, "thumb2-decode.tsv", text), &fake{})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, &rep, Class{Passed: 4, Failed: 1}, "5: id 2a20 (16-bit V) movs r0, #42\n    decodes      got false, want true")
	if got := rep.Classes[len(rep.Classes)-1].Name; got != "16-bit V, unpredictable" {
		t.Errorf("the last class is %q: what the core finds unpredictable isn't counted apart", got)
	}
}

func TestFloats(t *testing.T) {
	const text = "f32_add rne 3F800000 3F800000 40000000 00\n" + "f32_sqrt rup 40000000 3FB504F4 01\n" + "f32_sqrt rup 40000000 3FB504F3 01\n"
	rep, err := Run(file(t, "testfloat-arm-x.txt", text), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, &rep, Class{Passed: 2, Failed: 1}, "result       got 3FB504F4, want 3FB504F3")
}

func TestTable(t *testing.T) {
	rep := Report{File: "thumb2.jsonl", suite: "thumb2"}
	for range 3 {
		rep.pass("mul")
	}
	for i := range maxMismatches + 5 {
		rep.differ(Mismatch{Line: i, ID: "none", Class: "add"})
	}
	for range maxExamples + 1 {
		rep.Deviations = append(rep.Deviations, Mismatch{File: "thumb2.jsonl", Line: 9, ID: "8", Class: "mul", Reason: "the manual says so"})
		rep.class("mul").Deviating++
	}
	var b strings.Builder
	if err := rep.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range []string{
		"  class  passed  failed  deviating  total",
		"    add       0      25          0     25",
		"    mul       3       0          4      7",
		"    all       3      25          4     32",
		"known deviation of 4: the manual says so",
		"thumb2.jsonl:9: id 8 (mul) ",
		"thumb2.jsonl:9: id 8 (mul) ",
		"thumb2.jsonl:9: id 8 (mul) ",
		"thumb2.jsonl:0: id none (add) ",
	} {
		if lines[i] != want {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	if last := lines[len(lines)-2]; last != "5 more mismatches" {
		t.Errorf("the last line is %q", last)
	}
}

func TestDeviationsAreCountedApart(t *testing.T) {
	known, err := parseDeviations("# comment\n\nthumb2\t8\tthe manual says so\n")
	if err != nil {
		t.Fatal(err)
	}
	rep := Report{File: "thumb2-sample.jsonl", suite: "thumb2", known: known}
	rep.differ(Mismatch{ID: "8", Class: "mul"})
	rep.differ(Mismatch{ID: "80", Class: "mul"})
	if got, want := rep.Classes[0], (Class{Name: "mul", Failed: 1, Deviating: 1}); got != want {
		t.Errorf("counted as %+v, want %+v", got, want)
	}
	if got := rep.Deviations[0].Reason; got != "the manual says so" {
		t.Errorf("reason %q", got)
	}
	if _, err := parseDeviations("thumb2\t8\n"); err == nil {
		t.Error("a deviation without a reason is accepted")
	}
}

func TestRunRefuses(t *testing.T) {
	good := movs(1, "0000002a")
	for _, c := range []struct {
		name, file, text string
		m                Machine
		want             string
	}{
		{"an unknown kind", "vectors.txt", "", &fake{}, "unknown kind of vectors"},
		{"an empty file", "thumb2.jsonl", "\n", &fake{}, "no vectors"},
		{"no machine", "thumb2.jsonl", good, nil, "no machine"},
		{"no decoder", "thumb2-decode.tsv", "00bf\tV\tnop\n", nil, "no decoder"},
		{"another machine's vectors", "rv32imc.jsonl", good, &fake{}, "the machine is armv7e-m"},
		{"not JSON", "thumb2.jsonl", good + "{", &fake{}, "thumb2.jsonl:2: "},
		{"two objects", "thumb2.jsonl", good[:len(good)-1] + good, &fake{}, "more than one object"},
		{"an unknown key", "thumb2.jsonl", strings.Replace(good, `"cls"`, `"class"`, 1), &fake{}, `unknown field "class"`},
		{"a missing id", "thumb2.jsonl", strings.Replace(good, `"id":1,`, ``, 1), &fake{}, "id, cls and code expected"},
		{"too few registers", "thumb2.jsonl", strings.Replace(good, `["00000007",`, `[`, 1), &fake{}, "r or x: 15 registers expected, got 14"},
		{"a short register", "thumb2.jsonl", strings.Replace(good, `00000007`, `7`, 1), &fake{}, "8 digits expected"},
		{"registers of two architectures", "thumb2.jsonl", strings.Replace(good, `"out":{"r"`, `"out":{"x"`, 1), &fake{}, "starts with the registers of"},
		{"code outside of RAM", "thumb2.jsonl", strings.Replace(good, `"addr":"2000`, `"addr":"2001`, 1), &fake{}, "not in the RAM at 0x20000000"},
		{"a change out of nowhere", "thumb2.jsonl", str(1, `[["20000200","00"]]`), &fake{}, "aren't given at the start"},
		{"a bad register", "vixl-t32.jsonl", `{"cls":"c","code":"00bf","fields":["rd"],"regs":{"rd":"r15"},"inp":["0"],"out":["0"]}`, &fake{}, "r0 to r14 expected"},
		{"a short row", "vixl-t32.jsonl", `{"cls":"c","code":"00bf","fields":["rd"],"regs":{"rd":"r1"},"inp":["0"],"out":[""]}`, &fake{}, "row 0: 1 fields expected"},
		{"an odd verdict", "thumb2-decode.tsv", "00bf\tX\tnop\n", &fake{}, "V, U or -"},
		{"half a byte", "thumb2-decode.tsv", "00b\tV\tnop\n", &fake{}, "odd length"},
		{"an unknown operation", "testfloat-arm.txt", "f32_cos rne 0 0 00\n", nil, `testfloat-arm.txt:1: unknown operation "f32_cos"`},
		{"a missing operand", "testfloat-arm.txt", "f32_add rne 0 0 00\n", nil, "2 operands, a result and flags expected"},
		{"an unknown rounding", "testfloat-arm.txt", "f32_sqrt up 0 0 00\n", nil, "unknown rounding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Run(file(t, c.file, c.text), c.m)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
	if _, err := Run(filepath.Join(t.TempDir(), "thumb2.jsonl"), &fake{}); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}

// drain reads a sequence to its end, which an error must be.
func drain[T any](t *testing.T, records iter.Seq2[T, error]) {
	failed := false
	for _, err := range records {
		if failed {
			t.Error("the sequence goes on after an error")
		}
		failed = err != nil
	}
}

func FuzzPrograms(f *testing.F) {
	f.Add(movs(1, "0000002a"))
	f.Add(str(1, `[["20000100","04030201"]]`))
	f.Fuzz(func(t *testing.T, text string) { drain(t, Programs("p", strings.NewReader(text))) })
}

func FuzzTraces(f *testing.F) {
	f.Add(`{"cls":"c","asm":[],"code":"00bf","fields":["apsr","rd"],"regs":{"rd":"r1"},"inp":["0 0"],"out":["0 1"]}`)
	f.Fuzz(func(t *testing.T, text string) { drain(t, Traces("t", strings.NewReader(text))) })
}

func FuzzEncodings(f *testing.F) {
	f.Add("00bf\tV\tnop\n")
	f.Fuzz(func(t *testing.T, text string) { drain(t, Encodings("e", strings.NewReader(text))) })
}

func FuzzFloatCases(f *testing.F) {
	f.Add("f32_mulAdd rmm 3F800000 3F800000 40000000 40400000 00\n")
	f.Fuzz(func(t *testing.T, text string) { drain(t, FloatCases("f", strings.NewReader(text))) })
}
