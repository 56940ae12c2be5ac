package ike

import "strconv"

// How numbers are said aloud: the RFC's name where there is one, else the registry's word with the number, ENCR(99),
// so that nothing a peer can send is printed as an empty or misleading word.

func nameOf[T ~uint8 | ~uint16](names map[T]string, registry string, v T) string {
	if name, ok := names[v]; ok {
		return name
	}
	return registry + "(" + strconv.Itoa(int(v)) + ")"
}

func hexOctet(b uint8) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}
