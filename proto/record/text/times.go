package text

import (
	"strconv"
	"strings"
	"time"
)

// Duration is a wait in nanoseconds the way people write one: 20m, 30s, 0.76s. It is rounded to milliseconds.
func Duration(ns int64) string {
	const second, minute = int64(time.Second), int64(time.Minute)
	switch {
	case ns != 0 && ns%minute == 0:
		return strconv.FormatInt(ns/minute, 10) + "m"
	case ns%second == 0:
		return strconv.FormatInt(ns/second, 10) + "s"
	}
	s := strconv.FormatFloat(float64(ns)/float64(second), 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "s"
}

// Clock is the time of day of a step, to the millisecond, in place (nil: UTC).
func Clock(ns int64, place *time.Location) string {
	if place == nil {
		place = time.UTC
	}
	return time.Unix(0, ns).In(place).Format("15:04:05.000")
}
