package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Settings is the top-level section `ikejd { }`: what strongSwan has no key for. The table in settings_keys.go gives
// each its name, default, bounds and meaning.
type Settings struct {
	Retransmit struct {
		Sends         int
		FirstWait     time.Duration
		LeastWait     time.Duration
		MostWait      time.Duration
		GrowthPercent int
		JitterPercent int
	}
	Shutdown struct {
		Budget           time.Duration
		Sends            int
		DeletesPerSecond int
	}
	DiscardAfter time.Duration
	Linger       struct {
		Least, Most time.Duration
		InShutdown  time.Duration
	}
	Limits struct {
		CookiesFrom       int
		CookiesFromSource int
		CookieSecretLife  time.Duration
		HalfOpen          int
		HalfOpenSource    int
		HalfOpenLife      time.Duration
		HalfOpenLeastLife time.Duration
		SetupRounds       int
		AuthTries         int
		Answers           int
		AnswersSource     int
		Samples           int
	}
	Journal struct {
		Keep        time.Duration
		SegmentSize Octets
		SegmentLife time.Duration
	}
}

// Octets is a size.
type Octets uint64

// DefaultSettings is what holds where nothing is set.
func DefaultSettings() Settings {
	var s Settings
	for _, k := range settingKeys {
		if err := k.set(&s, k.Default); err != nil {
			panic(fmt.Sprintf("default of ikejd.%s: %v", k.Name, err))
		}
	}
	return s
}

// Set changes one setting by its dotted name below `ikejd`, such as "shutdown.budget". The error says what to write
// instead.
func (s *Settings) Set(name, text string) error {
	var names []string
	for _, k := range settingKeys {
		if k.Name == name {
			if err := k.set(s, text); err != nil {
				return fmt.Errorf("ikejd.%s = %s: %w", name, strconv.Quote(text), err)
			}
			return nil
		}
		names = append(names, k.Name)
	}
	return fmt.Errorf("unknown setting %q; %s", name, didYouMean(name, names, "ikejd.conf(5) lists them"))
}

// readSettings reads the section and those inside it.
func readSettings(r *report, root *Section) Settings {
	settings := DefaultSettings()
	section := root.Sub("ikejd")
	if section == nil {
		return settings
	}
	groups := map[string][]settingKey{}
	var order []string
	for _, k := range settingKeys {
		group, _ := k.split()
		if group != "" && groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], k)
	}
	readSettingGroup(r, section, "ikejd", groups[""], &settings, order...)
	for _, group := range order {
		if sub := section.Sub(group); sub != nil {
			readSettingGroup(r, sub, "ikejd."+group, groups[group], &settings)
		}
	}
	if rt := settings.Retransmit; rt.LeastWait > rt.MostWait {
		r.add(section.Pos, Error, "ikejd.retransmit", "least_wait is above most_wait", "make it smaller")
	}
	if l := settings.Linger; l.Least > l.Most {
		r.add(section.Pos, Error, "ikejd.linger", "least is above most", "make it smaller")
	}
	return settings
}

func readSettingGroup(r *report, s *Section, path string, keys []settingKey, settings *Settings, inside ...string) {
	var docs []KeyDoc
	for _, k := range keys {
		_, name := k.split()
		docs = append(docs, KeyDoc{Name: name, Default: k.Default, Doc: k.Doc})
	}
	rd := newReader(r, s, path, docs)
	rd.checkKeys(inside...)
	for i, k := range keys {
		rd.read(docs[i].Name, func(text string) error { return k.set(settings, text) })
	}
}

// settingKey is a KeyDoc with its place in Settings and its bounds, both included.
type settingKey struct {
	KeyDoc
	field       func(*Settings) any // *time.Duration, *int or *Octets
	least, most string              // in the notation of the file
}

func (k settingKey) split() (group, name string) {
	if group, name, ok := strings.Cut(k.Name, "."); ok {
		return group, name
	}
	return "", k.Name
}

// set reads text into the field, within the bounds.
func (k settingKey) set(s *Settings, text string) error {
	switch field := k.field(s).(type) {
	case *time.Duration:
		return setWithin(field, text, k, ParseTime)
	case *Octets:
		return setWithin(field, text, k, func(text string) (Octets, error) {
			n, err := parseSize(text)
			return Octets(n), err
		})
	case *int:
		return setWithin(field, text, k, func(text string) (int, error) {
			n, err := parseNumber(text, 1<<31-1)
			return int(n), err
		})
	default:
		panic(fmt.Sprintf("ikejd.%s has a field of type %T", k.Name, field))
	}
}

func setWithin[T time.Duration | Octets | int](field *T, text string, k settingKey, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err != nil {
		return err
	}
	least, errLeast := parse(k.least)
	most, errMost := parse(k.most)
	if errLeast != nil || errMost != nil {
		panic("bounds of ikejd." + k.Name)
	}
	if value < least || value > most {
		return fmt.Errorf("out of bounds; write %s to %s", k.least, k.most)
	}
	*field = value
	return nil
}

// settingDocs are the keys for the manual page, in the order of the table.
func settingDocs() []KeyDoc {
	docs := make([]KeyDoc, len(settingKeys))
	for i, k := range settingKeys {
		docs[i] = k.KeyDoc
		docs[i].Doc += fmt.Sprintf(" From %s to %s.", k.least, k.most)
	}
	return docs
}
