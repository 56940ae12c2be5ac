// Command gen makes record.pb.go from record.proto with nothing but the Go tool chain: protocompile parses the schema,
// and the generator behind protoc-gen-go runs in this process.
//
//	go run ./gen            writes record.pb.go
//	go run ./gen -check     fails when record.pb.go is not what record.proto says
package main
