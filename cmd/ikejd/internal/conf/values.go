package conf

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// What the values of keys look like. The errors of these functions say what to write instead, and never hold the value.

var (
	errTime   = errors.New("not a time; write a number with s, m, h or d, such as 30s or 1h")
	errSize   = errors.New("not a number of octets; write a number, with k, m or g if you like, such as 500m")
	errNumber = errors.New("not a whole number; write digits")
	errBool   = errors.New("neither yes nor no; write yes or no")
)

// maxTime bounds every time: what is longer is a slip, and times are added to one another.
const maxTime = 10 * 365 * 24 * time.Hour

// ParseTime reads seconds, or a number with ms, s, m, h or d. Fractions are allowed.
func ParseTime(text string) (time.Duration, error) {
	units := []struct {
		suffix string
		unit   time.Duration
	}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"", time.Second}}
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		value, err := parseDecimal(number)
		if err != nil {
			return 0, errTime
		}
		if value*float64(u.unit) > float64(maxTime) {
			return 0, errors.New("longer than ten years; write 0 for never")
		}
		return time.Duration(math.Round(value * float64(u.unit))), nil
	}
	return 0, errTime
}

// parseDecimal takes digits with at most one point among them: no sign, no exponent, no "inf".
func parseDecimal(text string) (float64, error) {
	if strings.Trim(text, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// parseSize reads octets; k, m and g are 2^10, 2^20 and 2^30, in either case.
func parseSize(text string) (uint64, error) {
	shift := 0
	if text != "" {
		if i := strings.IndexByte("kmg", text[len(text)-1]|0x20); i >= 0 {
			shift = 10 * (i + 1)
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, errSize
	}
	return n << shift, nil
}

// parseNumber reads a whole number, in hexadecimal after 0x.
func parseNumber(text string, most uint64) (uint64, error) {
	base := 10
	if digits, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		text, base = digits, 16
	}
	n, err := strconv.ParseUint(text, base, 64)
	if err != nil {
		return 0, errNumber
	}
	if n > most {
		return 0, errors.New("too large; write at most " + strconv.FormatUint(most, 10))
	}
	return n, nil
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "yes", "true", "enabled", "1":
		return true, nil
	case "no", "false", "disabled", "0":
		return false, nil
	}
	return false, errBool
}
