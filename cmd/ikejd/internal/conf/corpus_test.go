package conf

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/proto/testshared"
)

// strongSwan's own scenarios: every file parses, and means something or is refused with file and line.
func TestCorpus(t *testing.T) {
	root := testshared.Path(t, "vectors/swanctl")
	files, usable := 0, 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".conf" {
			return err
		}
		files++
		// Two scenarios include files that are not in the folder.
		_, problems := Parse(path)
		for _, p := range problems {
			if p.Severity == Error && !strings.Contains(p.Text, "no such file") {
				t.Errorf("grammar: %v", p)
			}
		}
		config, problems := Load(path)
		if testing.Verbose() {
			t.Logf("%s\n%s", path, lines(problems))
		}
		for _, p := range problems {
			if p.Pos.File == "" || p.Pos.Line == 0 {
				t.Errorf("%s: no place: %v", path, p)
			}
		}
		if HasErrors(problems) {
			return nil
		}
		usable++
		for _, c := range config.Connections {
			if len(c.Proposals) == 0 || c.Local.Method != PSK || c.Remote.Method != PSK {
				t.Errorf("%s: %s is not whole: %+v", path, c.Name, c)
			}
			for _, child := range c.Children {
				if len(child.Proposals) == 0 || len(child.LocalTS) == 0 || len(child.RemoteTS) == 0 {
					t.Errorf("%s: %s/%s is not whole: %+v", path, c.Name, child.Name, child)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != 445 || usable == 0 {
		t.Errorf("%d files, %d usable", files, usable)
	}
	t.Logf("%d files, %d usable with pre-shared keys", files, usable)
}
