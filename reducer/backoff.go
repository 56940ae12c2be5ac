package reducer

// How long to wait for an answer (RFC 7296, section 2.4). The RFC leaves the numbers to us and advises a dozen tries
// over several minutes.

const (
	millisecond = int64(1_000_000)
	second      = 1000 * millisecond
	minute      = 60 * second
)

// growth is what each wait is longer than the one before, in thousandths.
const growth = 1500

// backoff is how long to wait after send n (n >= 1): first, times 1.5 for each send before, give or take a tenth by
// jitter, the random bits that came with the event (PROTOCOL.md, W-15).
func backoff(first int64, n, jitter uint32) int64 {
	return jittered(grown(first, growth, n-1), jitter)
}

// grown is wait times (permille/1000)^n, in integers so that every machine agrees.
func grown(wait, permille int64, n uint32) int64 {
	for range n {
		wait = wait / 1000 * permille
	}
	return wait
}

// jittered is wait give or take up to a tenth.
func jittered(wait int64, random uint32) int64 {
	return wait + wait/10*(int64(random%2001)-1000)/1000
}

// firstWait is clamp(4 times the round trip, least, most); none while no round trip is known.
func firstWait(rtt, least, most, none int64) int64 {
	if rtt == 0 {
		return none
	}
	return min(max(4*rtt, least), most)
}

// smoothed folds a new measurement into the smoothed round trip: a new one counts an eighth, as in RFC 6298.
func smoothed(rtt, measured int64) int64 {
	if rtt == 0 {
		return max(measured, 1)
	}
	return rtt - rtt/8 + measured/8
}

// fitted is the growth, in thousandths, with which sends waits beginning at first fill budget, and at least 1000: the
// compressed schedule of a shutdown. First waits that are too long for the budget are the caller's to shorten.
func fitted(first, budget int64, sends uint32) int64 {
	low, high := int64(1000), int64(3000)
	for low < high {
		middle := (low + high + 1) / 2
		if total(first, middle, sends) <= budget {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

func total(first, permille int64, sends uint32) int64 {
	sum, wait := int64(0), first
	for range sends {
		sum += wait
		if sum > 24*60*minute {
			return sum
		}
		wait = wait / 1000 * permille
	}
	return sum
}
