package arch

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// impure are the packages through which a reducer could learn what is not in its event, or do something. Their
// subpackages count too, but not net/netip: addresses are no network.
var impure = []string{"time", "crypto/rand", "math/rand", "os", "io", "net", "log", "sync", "context", "runtime", "unsafe",
	"syscall", "testing", "plugin", "C", "golang.org/x/sys", "golang.org/x/net", "github.com/vishvananda"}

func isImpure(imported string) bool {
	if imported == "net/netip" {
		return false
	}
	return slices.ContainsFunc(impure, func(p string) bool { return imported == p || strings.HasPrefix(imported, p+"/") })
}

// DESIGN, The loop, 1: no clock, no randomness, no I/O, no goroutine.
func TestReducerIsPure(t *testing.T) {
	load(t, "reducer") // there is one
	for _, p := range allPackages(t) {
		from := inTree(p.ImportPath)
		if from != "reducer" && !strings.HasPrefix(from, "reducer/") || len(p.GoFiles) == 0 {
			continue
		}
		s := load(t, from)
		for _, bad := range impurities(s) {
			t.Error(bad)
		}
	}
}

// impurities names every place in s that a pure package does not have.
func impurities(s *source) (bad []string) {
	s.inspect(func(_ string, n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			if imported, _ := strconv.Unquote(n.Path.Value); isImpure(imported) {
				bad = append(bad, s.where(n)+": imports "+imported)
			}
		case *ast.GoStmt:
			bad = append(bad, s.where(n)+": starts a goroutine")
		case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
			bad = append(bad, s.where(n)+": uses a channel")
		}
		return true
	})
	return append(bad, variables(s)...)
}

// variables names the package variables that are not tables: a table is given its content where it is declared and
// nowhere changed. A blank variable only asserts something to the compiler.
func variables(s *source) (bad []string) {
	globals := map[types.Object]bool{}
	for _, f := range s.files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if name.Name == "_" {
						continue
					}
					globals[s.info.Defs[name]] = true
					if i >= len(v.Values) || !isTable(v.Values[i]) {
						bad = append(bad, s.where(name)+": package variable "+name.Name+" is not a table written out or an error")
					}
				}
			}
		}
	}
	changed := func(e ast.Expr, how string) {
		if id := rootOf(e); id != nil && globals[s.info.Uses[id]] {
			bad = append(bad, s.where(e)+": "+how+" the package variable "+id.Name)
		}
	}
	s.inspect(func(_ string, n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				changed(e, "assigns to")
			}
		case *ast.IncDecStmt:
			changed(n.X, "counts in")
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				changed(n.X, "takes the address of")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"append", "clear", "copy", "delete"}, id.Name) {
				changed(n.Args[0], id.Name+"s")
			}
		}
		return true
	})
	return bad
}

// isTable: a composite literal, or a call of errors.New.
func isTable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit, *ast.BasicLit:
		return true
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := f.X.(*ast.Ident)
		return ok && pkg.Name == "errors" && f.Sel.Name == "New"
	}
	return false
}

// rootOf is x in x, x.f, x[i], x.f[i].g, (*x).f.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// STYLE: generated types stop at the edge. Whatever State reaches, through fields, elements and type arguments, no
// type of proto/record is among it: the schema may change without the State noticing.
func TestStateHoldsNoGeneratedType(t *testing.T) {
	s := load(t, "reducer")
	state := s.types.Scope().Lookup("State")
	if state == nil {
		t.Fatal("reducer has no type State")
	}
	for _, bad := range generatedBelow(state.Type()) {
		t.Error(bad)
	}
}

// generatedBelow names the ways from t to a type of proto/record.
func generatedBelow(t types.Type) (bad []string) {
	seen := map[types.Type]bool{}
	var walk func(t types.Type, way string)
	walk = func(t types.Type, way string) {
		t = types.Unalias(t)
		if seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Named:
			name := t.Obj().Name()
			if pkg := t.Obj().Pkg(); pkg != nil {
				if pkg.Path() == module+"/proto/record" {
					bad = append(bad, way+" is "+path.Base(pkg.Path())+"."+name)
					return
				}
				if !strings.HasPrefix(pkg.Path(), module+"/") {
					return // the standard library holds nothing of ours
				}
			}
			for i := range t.TypeArgs().Len() {
				walk(t.TypeArgs().At(i), way+"["+strconv.Itoa(i)+"]")
			}
			walk(t.Underlying(), way)
		case *types.Struct:
			for f := range t.Fields() {
				walk(f.Type(), way+"."+f.Name())
			}
		case *types.Pointer:
			walk(t.Elem(), way)
		case *types.Slice:
			walk(t.Elem(), way+"[]")
		case *types.Array:
			walk(t.Elem(), way+"[]")
		case *types.Map:
			walk(t.Key(), way+" key")
			walk(t.Elem(), way+"[]")
		case *types.Chan, *types.Signature:
			bad = append(bad, way+" is a "+t.String()+": State is data")
		}
	}
	walk(t, "State")
	return bad
}
