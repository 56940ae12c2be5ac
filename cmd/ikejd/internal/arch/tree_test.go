package arch

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/ikejd/ikejd"

// listed is what `go list` says of a package. Export is the file of its compiled types.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
	TestImports             []string
	XTestImports            []string
}

// inTree is the path below the module, "" for the packages of others.
func inTree(importPath string) string {
	rest, ours := strings.CutPrefix(importPath, module+"/")
	if !ours {
		return ""
	}
	return rest
}

// root is the folder of go.mod.
var root = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		panic(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
})

// packages are ours and all they need, by import path. Built files are asked for, so that types can be read.
var packages = sync.OnceValues(func() (map[string]*listed, error) {
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-tags", "interop",
		"-json=ImportPath,Dir,Export,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir, cmd.Stderr = root(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	all := map[string]*listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(listed)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

func allPackages(t *testing.T) map[string]*listed {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// files are the paths, below the root, of what is or would be committed.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("git ls-files: ", err)
	}
	var there []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root(), name)); err == nil && info.Mode().IsRegular() {
			there = append(there, name)
		}
	}
	return there
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// source is one package parsed and type-checked, its tests left out.
type source struct {
	fset  *token.FileSet
	files map[string]*ast.File // by base name
	types *types.Package
	info  *types.Info
}

// where is a place to print: file below the root, and line.
func (s *source) where(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	name, _ := filepath.Rel(root(), p.Filename)
	p.Filename = name
	return p.String()
}

// load checks the package at path (below the module) against the compiled types of what it imports.
func load(t *testing.T, path string) *source {
	t.Helper()
	all := allPackages(t)
	p := all[module+"/"+path]
	if p == nil || len(p.GoFiles) == 0 {
		t.Fatalf("there is no package %s", path)
	}
	s := &source{fset: token.NewFileSet(), files: map[string]*ast.File{},
		info: &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}}
	var list []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(s.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files[name] = f
		list = append(list, f)
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(all[path].Export) }
	conf := types.Config{Importer: importer.ForCompiler(s.fset, "gc", lookup)}
	var err error
	if s.types, err = conf.Check(p.ImportPath, s.fset, list, s.info); err != nil {
		t.Fatal(err)
	}
	return s
}

// inspect visits every node of every file.
func (s *source) inspect(visit func(file string, n ast.Node) bool) {
	for name, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool { return n != nil && visit(name, n) })
	}
}
