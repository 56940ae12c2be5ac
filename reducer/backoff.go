package reducer

// How long to wait for an answer (RFC 7296, section 2.4). The RFC leaves the numbers to us and advises a dozen tries
// over several minutes.

const (
	millisecond = int64(1_000_000)
	second      = 1000 * millisecond
	minute      = 60 * second
)

// backoff is how long to wait after send n (n >= 1): first, times 1.5 (growth is in percent) for each send before, give or
// take a tenth (jitter is in percent) by the random bits that came with the event (PROTOCOL.md, W-15).
func backoff(first int64, n, growth, jitter, random uint32) int64 {
	return jittered(grown(first, 10*int64(growth), n-1), jitter, random)
}

// grown is wait times (permille/1000)^n, in integers so that every machine agrees.
func grown(wait, permille int64, n uint32) int64 {
	for range n {
		wait = wait / 1000 * permille
	}
	return wait
}

// tenth is the jitter, in percent, where nothing else is configured.
const tenth = 10

// jittered is wait give or take up to that many percent.
func jittered(wait int64, percent, random uint32) int64 {
	return wait + wait/100*int64(percent)*(int64(random%2001)-1000)/1000
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

// passed is how many waits of such a schedule are over after elapsed.
func passed(first, permille, elapsed int64) uint32 {
	n, wait := uint32(0), first
	for elapsed >= wait && n < 64 {
		elapsed -= wait
		wait = wait / 1000 * permille
		n++
	}
	return n
}
