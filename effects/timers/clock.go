package timers

import (
	"context"
	"time"
)

// Clock gives event time: UTC nanoseconds that never run back.
type Clock interface{ Now() int64 }

// Boot is the real clock. It may be used by several goroutines.
type Boot struct{}

// NewClock starts a clock at the wall clock's time, or at notBefore (the last record's time) where
// that is later.
func NewClock(notBefore int64) *Boot { return &Boot{} }

// Now is the event time.
func (c *Boot) Now() int64 { return 0 }

// Wait returns when the event time has reached until, or with ctx's error. Time spent suspended counts.
func (c *Boot) Wait(ctx context.Context, until int64) error { return nil }

// Stepped says whether the wall clock was set since it was last asked, and by how much (positive is forward).
func (c *Boot) Stepped() (delta time.Duration, stepped bool) { return 0, false }

// Wall is the wall clock's time now, for print only.
func (c *Boot) Wall() time.Time { return time.Now() }
