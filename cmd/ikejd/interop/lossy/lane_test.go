package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// storm is bad enough for every fate to be met within a few hundred datagrams.
var storm = weather{drop: 0.3, dup: 0.2, reorder: 0.2, hold: 20 * time.Millisecond, seed: 7}

// fates sends n datagrams at once and returns the numbers of those delivered, in order. Its clock jumps.
func fates(t *testing.T, w weather, n int) (got []int, c Counts) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		l := newLane('a', w, nil, nil)
		for i := 1; i <= n; i++ {
			l.send(&packet{ike: true, deliver: func() { got = append(got, i) }})
		}
		time.Sleep(2 * w.hold)
		c = l.stop()
		synctest.Wait()
	})
	return got, c
}

func TestSameSeedSameFates(t *testing.T) {
	one, c := fates(t, storm, 200)
	two, _ := fates(t, storm, 200)
	otherStorm := storm
	otherStorm.seed = 8
	other, _ := fates(t, otherStorm, 200)
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("one seed, two results:\n%v\n%v", one, two)
	}
	if fmt.Sprint(one) == fmt.Sprint(other) {
		t.Error("another seed made no difference")
	}
	if c.Dropped == 0 || c.Duplicated == 0 || c.Held == 0 || c.Delivered != 200-c.Dropped+c.Duplicated {
		t.Errorf("counts do not add up: %+v", c)
	}
}

func mustPlan(t *testing.T, s string) []rule {
	t.Helper()
	plan, err := parsePlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestPlanByNumber(t *testing.T) {
	w := storm
	w.plan, w.onlyPlan = mustPlan(t, "a1=drop,a2=dup,a3=hold,b1=drop"), true
	if got, _ := fates(t, w, 5); fmt.Sprint(got) != "[2 2 4 3 5]" {
		t.Errorf("got %v", got)
	}
}

func TestPlanByKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := weather{plan: mustPlan(t, "b:INFORMATIONAL:2=drop,b:IKE_AUTH*=dup"), onlyPlan: true}
		l := newLane('b', w, nil, nil)
		for _, what := range []string{"IKE_AUTH response 1", "IKE_AUTH response 1", "INFORMATIONAL response 3",
			"INFORMATIONAL response 2", "INFORMATIONAL response 2"} {
			l.send(&packet{ike: true, what: what, deliver: func() {}})
		}
		synctest.Wait()
		if c := l.stop(); c.Dropped != 1 || c.Duplicated != 2 || c.Delivered != 6 {
			t.Errorf("by kind: %+v", c)
		}
	})
}

func TestBadPlans(t *testing.T) {
	for _, bad := range []string{"c1=drop", "b:INFO=drop", "b:=drop", "b:IKE_AUTH:x=drop", "a0=drop", "a1=lose", "a", "ax=drop"} {
		if _, err := parsePlan(bad); err == nil {
			t.Errorf("plan %q was taken", bad)
		}
	}
}
