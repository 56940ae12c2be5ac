package conf

// key is one line of the table below.
func key(name, value, least, most string, field func(*Settings) any, doc string) settingKey {
	return settingKey{KeyDoc: KeyDoc{Name: name, Default: value, Doc: doc}, field: field, least: least, most: most}
}

// The keys of `ikejd { }`, with the defaults of the protocol contract; each names its row there.
var settingKeys = []settingKey{
	key("retransmit.sends", "12", "2", "30", func(s *Settings) any { return &s.Retransmit.Sends },
		"How often a request is sent before the peer is given up as silent (W-15)."),
	key("retransmit.first_wait", "2s", "100ms", "60s", func(s *Settings) any { return &s.Retransmit.FirstWait },
		"The wait after the first send while no round trip has been measured (W-15)."),
	key("retransmit.least_wait", "700ms", "100ms", "60s", func(s *Settings) any { return &s.Retransmit.LeastWait },
		"The first wait is four measured round trips, but at least this (W-15)."),
	key("retransmit.most_wait", "2s", "100ms", "60s", func(s *Settings) any { return &s.Retransmit.MostWait },
		"... and at most this (W-15)."),
	key("retransmit.growth_percent", "150", "101", "400", func(s *Settings) any { return &s.Retransmit.GrowthPercent },
		"Each further wait in percent of the one before (W-15)."),
	key("retransmit.jitter_percent", "10", "0", "50", func(s *Settings) any { return &s.Retransmit.JitterPercent },
		"A wait is longer or shorter by up to this, at random (W-15)."),

	key("shutdown.budget", "30s", "0s", "1d", func(s *Settings) any { return &s.Shutdown.Budget },
		"How long a shutdown waits for the answers to its Deletes; --shutdown-budget goes before it (D-23)."),
	key("shutdown.sends", "18", "2", "30", func(s *Settings) any { return &s.Shutdown.Sends },
		"Sends of a Delete within that budget (W-15)."),
	key("shutdown.deletes_per_second", "2000", "1", "1000000", func(s *Settings) any { return &s.Shutdown.DeletesPerSecond },
		"Pace of the Deletes (D-23)."),
	key("discard_after", "20m", "1m", "1d", func(s *Settings) any { return &s.DiscardAfter },
		"An IKE SA is discarded this long after its close was asked for, whatever its exchanges do (D-19)."),
	key("linger.least", "30s", "5s", "10m", func(s *Settings) any { return &s.Linger.Least },
		"After the peer closed an IKE SA its repeats are answered at least this long (D-20)."),
	key("linger.most", "180s", "5s", "1h", func(s *Settings) any { return &s.Linger.Most },
		"... and at most this long (D-20)."),
	key("linger.in_shutdown", "5s", "100ms", "1m", func(s *Settings) any { return &s.Linger.InShutdown },
		"... in a shutdown (D-20)."),

	key("limits.cookies_from", "100", "0", "1000000", func(s *Settings) any { return &s.Limits.CookiesFrom },
		"Half-open IKE SAs from which cookies are demanded (K-05)."),
	key("limits.cookies_from_source", "3", "0", "1000000", func(s *Settings) any { return &s.Limits.CookiesFromSource },
		"... those of one source, an IPv4 address or an IPv6 /64 (K-05)."),
	key("limits.cookie_secret_life", "60s", "5s", "1h", func(s *Settings) any { return &s.Limits.CookieSecretLife },
		"How often the cookies' secret changes under load (K-07)."),
	key("limits.half_open", "20000", "1", "10000000", func(s *Settings) any { return &s.Limits.HalfOpen },
		"Half-open IKE SAs; beyond them nothing is answered (K-06)."),
	key("limits.half_open_source", "50", "1", "10000000", func(s *Settings) any { return &s.Limits.HalfOpenSource },
		"... those of one source (K-06)."),
	key("limits.half_open_life", "30s", "1s", "10m", func(s *Settings) any { return &s.Limits.HalfOpenLife },
		"How long an IKE SA may be half-open while all is quiet (K-12)."),
	key("limits.half_open_least_life", "2s", "1s", "10m", func(s *Settings) any { return &s.Limits.HalfOpenLeastLife },
		"... at the limit of half-open IKE SAs (K-12)."),
	key("limits.setup_rounds", "5", "1", "20", func(s *Settings) any { return &s.Limits.SetupRounds },
		"As initiator: rounds of COOKIE, INVALID_KE_PAYLOAD and REDIRECT together (K-09)."),
	key("limits.auth_tries", "16", "1", "1000", func(s *Settings) any { return &s.Limits.AuthTries },
		"IKE_AUTH requests with a bad checksum on one half-open IKE SA (K-14)."),
	key("limits.answers", "1000", "0", "1000000", func(s *Settings) any { return &s.Limits.Answers },
		"Unprotected answers a second (K-11)."),
	key("limits.answers_source", "10", "0", "1000000", func(s *Settings) any { return &s.Limits.AnswersSource },
		"... to one source (K-11)."),
	key("limits.samples", "16", "0", "1000", func(s *Settings) any { return &s.Limits.Samples },
		"Headers of dropped datagrams that a journal record of a second keeps (K-16)."),

	key("journal.keep", "30d", "1h", "3650d", func(s *Settings) any { return &s.Journal.Keep },
		"Closed segments are removed when they are older, but for those with a part of an SA that ended since; what living SAs need is in newer ones."),
	key("journal.segment_size", "64m", "1m", "4g", func(s *Settings) any { return &s.Journal.SegmentSize },
		"A new segment begins at this size."),
	key("journal.segment_life", "1h", "1m", "30d", func(s *Settings) any { return &s.Journal.SegmentLife },
		"... and at this age."),
}
