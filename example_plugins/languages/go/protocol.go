package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

type object map[string]any

// An error with a code of the protocol. Any other error is answered with code 500.
type failure object

func (f failure) Error() string { return fmt.Sprint(f["message"]) }

func fail(code int, message string, data object) error {
	return failure{"code": code, "message": message, "data": data}
}

// Answers lines until they end. bufio.Scanner would give up at 64 KiB.
func serve(in io.Reader, out io.Writer) {
	lines, wire := bufio.NewReader(in), json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if id, result, err := read(bytes.TrimSpace(line)); err != nil {
			var known failure
			if !errors.As(err, &known) {
				known = failure{"code": 500, "message": err.Error()}
			}
			wire.Encode(object{"jsonrpc": "2.0", "id": id, "error": known})
		} else if id != nil {
			wire.Encode(object{"jsonrpc": "2.0", "id": id, "result": result})
		}
	}
}

func read(line []byte) (id json.RawMessage, result object, err error) {
	var frame struct {
		ID     json.RawMessage
		Method string
		Params json.RawMessage
	}
	if len(line) > 0 && !json.Valid(line) {
		return nil, nil, fail(-32700, "this is no JSON", object{})
	} else if len(line) > 0 && (line[0] != '{' || json.Unmarshal(line, &frame) != nil) {
		return nil, nil, fail(-32600, "this is no frame", object{})
	} else if frame.ID != nil {
		result, err = answer(frame.Method, frame.Params)
	}
	return frame.ID, result, err
}

func answer(method string, params json.RawMessage) (object, error) {
	var p struct {
		Versions []int `json:"protocol_versions"`
		Config   json.RawMessage
		Secrets  map[string]string
		Delivery struct{ Redelivered bool }
		Event    event
	}
	if method == "shutdown" {
		return object{}, nil
	} else if method != "initialize" && method != "event" {
		return nil, fail(-32601, "no such method", object{})
	} else if err := json.Unmarshal(params, &p); err != nil {
		return nil, fail(-32602, err.Error(), object{})
	} else if method == "event" {
		return handle(p.Event, p.Delivery.Redelivered)
	}
	common := false
	for _, version := range p.Versions {
		common = common || version == 1
	}
	if !common {
		return nil, fail(426, "this plugin speaks version 1", object{"supported": []int{1}})
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(json.Unmarshal(p.Config, &settings), &wrong) {
		path, message := "settings."+wrong.Field, "cannot be a "+wrong.Value
		detail := []object{{"path": path, "message": message}}
		return nil, fail(422, path+": "+message, object{"errors": detail})
	}
	secrets = p.Secrets
	fmt.Printf("ready; secrets: %d\n", len(secrets))
	return manifest, nil
}
