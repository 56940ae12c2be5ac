package simulate

import "testing"

// What the notation says happens as it says.
func TestNotation(t *testing.T) {
	for name, text := range map[string]string{
		"torn write: nothing left, and it is asked for again": `A>q5 D(ike)
crash A at >q5 +bytes
check plain A>q5 x1
check plain A gone acknowledged 1`,
		"after the record: what was recorded leaves after the recovery": `A>q5 D(ike)
crash A at >q5
check plain A>q5 x1
check plain A gone acknowledged 1`,
		"down until recover": `@1 crash A
@40 recover
@2 B>q2 D(ike)
check plain B>q2 x>=5
check plain A>r2 x1
check plain B gone acknowledged 1`,
		"after quiet": `A>q5 INF (probe)
@60 quiet
cmd A delete ike
check A>q5 x1
check A gone acknowledged 1 at 700..800`,
		"slow kernel, and one keyring only": `0 SAs
slow A ask(kernel) 20s
slow B ask(auth) 1s
A>q0 INIT
check A up 1
check A>q1 x2`,
		"slow key exchanges of both": `0 SAs
slow both ask(ke) 2500ms
A>q0 INIT
check A>q0 x>=2
check A up 1`,
		"the wrong secret, then the right one": `0 SAs
creds at B: other
cmd A initiate
@5 creds at B: shared
@6 cmd A initiate
check A gone refused 1
check A up 1`,
	} {
		t.Run(name, func(t *testing.T) {
			play, err := ParsePlay("# " + name + "\n" + text)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(5) {
				if _, wrong := play.Run(seed); wrong != nil {
					t.Errorf("seed %d: %v", seed, wrong)
				}
			}
		})
	}
	for _, text := range []string{"A>q5 D(ike)\nslow A ask(tea) 1s", "0 SAs\nA>q0 INIT\nP>r1 INF(x)"} {
		play, err := ParsePlay(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, wrong := play.Run(1); wrong == nil {
			t.Errorf("%q is played", text)
		}
	}
}
