package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/ikejd/ikejd/effects/timers"
)

// Cookies (RFC 7296, section 2.6): under load a request is answered only when it brings back what we sent to its address,
// so that a forged source costs us nothing to remember. A cookie is a version octet and 16 octets of a MAC over Ni, SPIi
// and the source address (PROTOCOL.md, K-07).
type cookies struct {
	mu      sync.Mutex
	version byte
	secrets [2][32]byte // of this version, of the one before
	life    time.Duration
	began   int64 // event time
	clock   timers.Clock
	random  io.Reader
}

const cookieOctets = 17

func newCookies(config Config) *cookies {
	c := &cookies{life: config.Limits.CookieLife, began: config.Clock.Now(), clock: config.Clock, random: config.CookieRandom}
	for i := range c.secrets {
		c.draw(&c.secrets[i])
	}
	return c
}

func (c *cookies) draw(secret *[32]byte) {
	if _, err := io.ReadFull(c.random, secret[:]); err != nil {
		panic("no randomness: " + err.Error())
	}
}

// age changes the secret when it is time.
func (c *cookies) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if time.Duration(now-c.began) < c.life {
		return
	}
	c.began = now
	c.secrets[1] = c.secrets[0]
	c.draw(&c.secrets[0])
	c.version++
}

func (c *cookies) make(nonce []byte, spii uint64, from netip.Addr) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cookie(c.version, &c.secrets[0], nonce, spii, from)
}

// good reports whether we made the cookie, lately, for that request and address. The time taken tells nothing.
func (c *cookies) good(got, nonce []byte, spii uint64, from netip.Addr) bool {
	if len(got) != cookieOctets {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	age := c.version - got[0]
	return age < 2 && hmac.Equal(got, cookie(got[0], &c.secrets[age], nonce, spii, from))
}

func cookie(version byte, secret *[32]byte, nonce []byte, spii uint64, from netip.Addr) []byte {
	mac := hmac.New(sha256.New, secret[:])
	address := from.Unmap().As16()
	mac.Write(nonce)
	mac.Write(binary.BigEndian.AppendUint64(nil, spii))
	mac.Write(address[:])
	return append([]byte{version}, mac.Sum(nil)[:cookieOctets-1]...)
}
