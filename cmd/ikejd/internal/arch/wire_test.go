package arch

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// onWire are the kinds of effect that put a message on the wire.
var onWire = []string{"EffectRecord", "EffectResend"}

// DESIGN, The window owns the wire: it alone makes Record and Resend effects. Everything else may only ask what kind
// an effect is, or name one in a table.
func TestOnlyTheWindowPutsMessagesOnTheWire(t *testing.T) {
	s := load(t, "reducer")
	for _, name := range onWire {
		if s.types.Scope().Lookup(name) == nil {
			t.Errorf("reducer has no effect kind %s", name)
		}
	}
	made := 0
	for _, u := range madeEffects(s) {
		if strings.HasPrefix(u.file, "window") {
			made++
			continue
		}
		t.Errorf("%s: %s is made outside the window", s.where(u.id), u.id.Name)
	}
	if made < len(onWire) {
		t.Errorf("the window makes %d of %v: this test does not see what it should", made, onWire)
	}
}

type use struct {
	file string
	id   *ast.Ident
}

// madeEffects are the places where a kind of onWire is used as a value: not compared with, not a case, not the key of
// a table, not its own declaration.
func madeEffects(s *source) (made []use) {
	asked := map[*ast.Ident]bool{}
	mark := func(e ast.Expr) {
		if sel, ok := e.(*ast.SelectorExpr); ok {
			e = sel.Sel
		}
		if id, ok := e.(*ast.Ident); ok {
			asked[id] = true
		}
	}
	s.inspect(func(_ string, n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				mark(n.X)
				mark(n.Y)
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				mark(e)
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					mark(kv.Key)
				}
			}
		case *ast.IndexExpr:
			mark(n.Index)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				asked[id] = true
			}
		}
		return true
	})
	s.inspect(func(file string, n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(onWire, id.Name) && !asked[id] {
			made = append(made, use{file, id})
		}
		return true
	})
	return made
}
