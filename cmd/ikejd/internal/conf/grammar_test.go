package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parsed is the tree of a text, for tests that expect no problem.
func parsed(t *testing.T, text string) *Section {
	t.Helper()
	root, problems := ParseText("t.conf", text)
	if len(problems) > 0 {
		t.Fatalf("%s\n%v", text, problems)
	}
	return root
}

// lines prints problems one a line.
func lines(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&b, p)
	}
	return b.String()
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"k = v":                            "v",
		"k=v":                              "v",
		"\tk\t=\tv\t\r\n":                  "v",
		"k = one   two\tthree  ":           "one two three",
		"k = v # comment":                  "v",
		"k = v }":                          "v",
		`k = "one   two"`:                  "one   two",
		`k = "with # and } and {"`:         "with # and } and {",
		`k = "quote \" backslash \\"`:      `quote " backslash \`,
		`k = "a\nb\tc\rd\be\ff\zg"`:        "a\nb\tc\rd\be\ffzg",
		"k = \"two\nlines\"":               "two\nlines",
		"k = \"joined \\\nline\"":          "joined line",
		"k = \"joined \\\r\nline\"":        "joined line",
		"k = joined \\\n   line":           "joined line",
		"k = joined\\\r\nline":             "joined line",
		`k = 'My "home" castle'`:           "'My home castle'",
		`k = word "quoted"word`:            "word quoted word",
		"k = C=CH, O=strongSwan, CN=a@b:c": "C=CH, O=strongSwan, CN=a@b:c",
		`k = \d`:                           `\d`,
		"k = {1}":                          "{1",
		"k = ünïcode":                      "ünïcode",
	} {
		wrapped := "s {\n" + text + "\n}"
		if strings.HasSuffix(text, "}") {
			wrapped = "s {\n" + text
		}
		if got, _ := parsed(t, wrapped).Sub("s").Lookup("k"); got.Text != want {
			t.Errorf("%q is %q, not %q", text, got.Text, want)
		}
	}
}

func TestTree(t *testing.T) {
	root := parsed(t, `
# a comment
a { b { k = 1 } k = 2
    dotted.name { k = 3 }
}
c
{   # the brace on its own line
    k = 4; x
}
a {
    k = 5
    b { j = 6 }
    include = not a statement
}
d { }
`)
	want := `a {
    k = 5
    include = not a statement
    b {
        k = 1
        j = 6
    }
    dotted.name {
        k = 3
    }
}
c {
    k = 4; x
}
d {
}
`
	if got := root.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	if again := parsed(t, root.String()).String(); again != want {
		t.Errorf("what was printed reads as\n%s", again)
	}
	k, _ := root.Sub("a").Lookup("k")
	if b := root.Sub("a").Sub("b"); k.Pos != (Pos{"t.conf", 11}) || b.Pos.Line != 3 || root.Sub("c").Pos.Line != 6 {
		t.Errorf("positions: k %v, b %v, c %v", k.Pos, b.Pos, root.Sub("c").Pos)
	}
}

func TestPositionsAfterJoinedLines(t *testing.T) {
	root := parsed(t, "s {\na = \"x\ny\"\nb = x \\\n  y\nc = 1\n}")
	for key, line := range map[string]int{"a": 2, "b": 4, "c": 6} {
		if v, _ := root.Sub("s").Lookup(key); v.Pos.Line != line {
			t.Errorf("%s is in line %d, not %d", key, v.Pos.Line, line)
		}
	}
}

func TestInheritance(t *testing.T) {
	// The example of strongswan.conf(5) in outline: the order is own, then left to right; references may lead forward.
	root := parsed(t, `
connections {
    conn-a : conn-defaults, eap-defaults {
        own = a
        both = own
        cleared =
        children { child-a : child-defaults { mark = 1 } }
    }
    conn-c : connections.conn-a {
        both = c
    }
    conn-d : connections.conn-c
}
conn-defaults { both = conn
    cleared = conn
    conn = 1
    local { auth = psk } }
eap-defaults { both = eap
    conn = 2
    eap = 1
    local { auth = eap
        id = x } }
child-defaults { ts = dynamic }
`)
	want := `conn-c {
    both = c
    own = a
    conn = 1
    eap = 1
    children {
        child-a {
            mark = 1
            ts = dynamic
        }
    }
    local {
        auth = psk
        id = x
    }
}
`
	connections := root.Sub("connections")
	got := (&Section{Sections: []*Section{connections.Sub("conn-c")}}).String()
	if got != want {
		t.Errorf("conn-c is\n%s", got)
	}
	if d := connections.Sub("conn-d").String(); d != connections.Sub("conn-c").String() {
		t.Errorf("conn-d is\n%s", d)
	}
	if _, set := connections.Sub("conn-a").Lookup("cleared"); set {
		t.Error("the empty assignment did not clear the inherited value")
	}
	eap, _ := connections.Sub("conn-c").Lookup("eap")
	if eap.Pos.Line != 20 {
		t.Errorf("an inherited value is said to be in line %d", eap.Pos.Line)
	}
}

func TestInclude(t *testing.T) {
	root, problems := Parse(filepath.Join("testdata", "include", "main.conf"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := `a = b
section-one {
    somevalue = asdf
    yetanother = zz
    subsection {
        othervalue = xxx
    }
}
section-two {
    x = 12
}
connections {
    gw-a {
        version = 2
    }
    gw-b {
        version = 2
    }
}
`
	if got := root.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	v, _ := root.Sub("section-one").Sub("subsection").Lookup("othervalue")
	if filepath.Base(v.Pos.File) != "other.conf" || v.Pos.Line != 3 {
		t.Errorf("othervalue is from %v", v.Pos)
	}
}

func TestGrammarErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a {\nb = 1\n":             `t.conf:1: section "a" is not closed; write } after its last line`,
		"a { }\n}\n":               `t.conf:2: one "}" too many; remove it, or look above it for a section that closed early`,
		"\n= v\n":                  `t.conf:2: "=" without a name before it; write: name = value, or name { ... }`,
		"a b\n":                    `t.conf:1: a name where "=" or "{" is expected; write: name = value, or name { ... }`,
		"a\nb { }":                 `t.conf:1: the end of the line where "=" or "{" is expected; write: name = value, or name { ... }`,
		"a { b }":                  `t.conf:1: "}" where "=" or "{" is expected; write: name = value, or name { ... }`,
		"a += b\n":                 `t.conf:1: "+=" is not in this grammar; write the whole list after a =`,
		"a+= b\n":                  `t.conf:1: "+=" is not in this grammar; write the whole list after a =`,
		"a = {\nb = 1\n}\n":        `t.conf:1: a = { begins no section; write a { ... } without the =, or quote the value`,
		"a : b { }\n":              `t.conf:1: section "a" inherits from "b", which is not there; give its full name from the top, such as connections.gw`,
		"a : b { }\nb : a { }\n":   `t.conf:2: section "b" inherits from "a", which leads back to it; remove one of the two references`,
		"a { b : a { } }\n":        `t.conf:1: section "b" inherits from "a", which leads back to it; remove one of the two references`,
		"a : { }\n":                `t.conf:1: "{" where the name of a section is expected; write: a : other.section { ... }`,
		"k = \"open\n":             `t.conf:1: a quote is opened here and never closed; write " at the end of the value`,
		"\"k\" = v":                `t.conf:1: a quoted text stands where a name is expected; write: name = "text"`,
		"include\n":                `t.conf:1: include names no file; write: include conf.d/*.conf`,
		"include none.conf\n":      `t.conf:1: include none.conf: no such file; correct the name, or remove the line`,
		"include [x\n":             `t.conf:1: include [x: not a pattern: syntax error in pattern; close its brackets`,
		"a = v#w\n":                `t.conf:1: warning: a comment begins inside this value; put the value in quotes if the # belongs to it, else a blank before the #`,
		"a = b\x00":                `t.conf:1: a zero octet; is this a text file?`,
		strings.Repeat("a { ", 40): `t.conf:1: sections are nested more than 32 deep; is a } missing above?`,
	} {
		_, problems := ParseText("t.conf", text)
		if len(problems) == 0 || problems[0].String() != want {
			t.Errorf("%q:\ngot  %swant %s", text, lines(problems), want)
		}
	}
}

// Every error of a file is found, not only the first.
func TestAllGrammarErrors(t *testing.T) {
	_, problems := ParseText("t.conf", "a b\nc { d\n e = f\n g h }\n i += j\n}\nk : l { }\n")
	if len(problems) != 5 {
		t.Errorf("got\n%s", lines(problems))
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		filepath.Join(dir, "none.conf"): "cannot be read: no such file or directory; give another file, or make it readable",
		dir:                             "is a directory; name the files in it",
	} {
		if root, problems := Parse(name); root != nil || len(problems) != 1 || !strings.HasPrefix(problems[0].Text, want) {
			t.Errorf("%s: %s", name, lines(problems))
		}
	}
	big := filepath.Join(dir, "big.conf")
	f, err := os.Create(big)
	if err == nil {
		err = f.Truncate(maxFileSize + 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := Parse(big); !strings.Contains(lines(problems), "split it with include") {
		t.Errorf("large file: %s", lines(problems))
	}
	_, problems := Parse(filepath.Join("testdata", "loop", "a.conf"))
	got := lines(problems)
	if len(problems) != 2 || !strings.Contains(got, "being read already") || !strings.Contains(got, "missing.conf: no such file") {
		t.Errorf("loop: %s", got)
	}
}

// A large configuration is read in time that grows with its size, and all of it.
func TestManyConnections(t *testing.T) {
	const n = 20_000
	var b strings.Builder
	b.WriteString("base {\n local { auth = psk\n}\n remote { auth = psk\n}\n children { net { } } }\nconnections {\n")
	for i := range n {
		fmt.Fprintf(&b, "c%d : base { remote_addrs = 10.0.%d.%d\n }\n", i, i>>8, i&0xff)
	}
	b.WriteString("c7 { mobike = no\n}\n}")
	config, problems := LoadText("t.conf", b.String())
	if len(problems) > 0 || len(config.Connections) != n || config.Connections[7].Mobike || !config.Connections[8].Mobike {
		t.Errorf("%d connections\n%s", len(config.Connections), lines(problems))
	}
}

// Sections that double with each reference stop at a bound, not at the end of memory.
func TestInheritanceIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0 { x { k = v } }\n")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d { x : a%d { }\n y : a%d { } }\n", i+1, i, i)
	}
	root, problems := ParseText("t.conf", b.String())
	if root != nil || !strings.Contains(lines(problems), "with those inherited") {
		t.Errorf("got %v", lines(problems))
	}
}

// Nothing makes the parser panic; what it accepts without an error it reads back from its own print. Meaning never
// panics either, and every problem has a line.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a { b = \"c\\\"\" # d\n}", "a : b, c.d {\n}\nb { }\nc { d { } }", "include x*\n", "a = b \\\n c", "a : a { }",
		"connections { gw { local { auth = psk } remote { auth = psk } children { n { local_ts = dynamic[tcp/1-2] } } } }",
		"secrets { ike { secret = 0sAA== } }", "ikejd { window = 9 }", "connections : ikejd { }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			return // what it reads depends on the machine
		}
		root, problems := ParseText("f", text)
		if root != nil && len(problems) == 0 {
			hidden := strings.Contains(text, "secret") || strings.Contains(text, "pin")
			again, problems := ParseText("f", root.String())
			if len(problems) > 0 || again.String() != root.String() && !hidden {
				t.Errorf("printed as\n%s\nread back as\n%v%s", root, again, lines(problems))
			}
		}
		_, problems = LoadText("f", text)
		for _, p := range problems {
			if p.Pos.Line == 0 || p.Pos.File != "f" || p.Text == "" {
				t.Errorf("a problem without a place: %+v", p)
			}
		}
	})
}
