package simulate

import (
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
)

// describe is a message in a line: `INFORMATIONAL request 5 of 1f0c…`.
func describe(m *message) string {
	kind := "request"
	if m.h.Response() {
		kind = "response"
	}
	return fmt.Sprintf("%v %s %d of %016x_i %016x_r", ike.ExchangeType(m.h.Exchange), kind, m.h.MessageID, m.h.SPIi, m.h.SPIr)
}
