// The plugin of ../go in one short file: logs each finished build, and keeps a list of
// what it handled. It has no settings, and looks into events without types for them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type object = map[string]any

// A member of an object; nil where it has none, and where there is no object.
func get(from any, name string) any { members, _ := from.(object); return members[name] }

func read(file string) string { text, _ := os.ReadFile(file); return string(text) }

// The end of an answer: what it consists of besides its id.
func fail(code int, why any) (string, any) { return "error", object{"code": code, "message": why} }

// Your code goes here. It returns why it failed, or nil. What is printed has to go to
// os.Stderr, which is the log: os.Stdout is the wire.
func handle(event, delivery any) error {
	data := get(event, "data")
	others, _ := get(data, "dependentIds").([]any)
	builds := fmt.Sprintf("%.0f", append([]any{get(data, "build")}, others...))
	line := fmt.Sprintf("%s\t%s\n", get(event, "id"), strings.Trim(builds, "[]"))
	if get(delivery, "redelivered") == true && strings.Contains(read("received.log"), line) {
		return nil
	}
	received, err := os.OpenFile("received.log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		defer received.Close()
		_, err = received.WriteString(line)
	}
	fmt.Fprintln(os.Stderr, "status", get(data, "buildStatus"), "of build", get(data, "url"))
	return err
}

func answer(line string, frame object) (string, any) {
	params, method := frame["params"], frame["method"]
	versions := " " + strings.Trim(fmt.Sprint(get(params, "protocol_versions")), "[]") + " "
	switch {
	case frame == nil: // JSON, but no object; or no JSON.
		return fail(map[bool]int{true: -32600, false: -32700}[json.Valid([]byte(line))], "no frame")
	case method == "initialize" && !strings.Contains(versions, " 1 "):
		return "error", object{"code": 426, "message": "speaks 1", "data": object{"supported": []int{1}}}
	case method == "initialize":
		return "result", object{"protocol_version": 1, "name": "note_builds", "version": "1.0",
			"events": []string{"build_finished"}}
	case method == "event":
		if err := handle(get(params, "event"), get(params, "delivery")); err != nil {
			return fail(500, err.Error())
		}
	case method != "shutdown":
		return fail(-32601, "no such method")
	}
	return "result", object{}
}

func main() {
	lines, wire := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	// Not bufio.Scanner: it gives up at 64 KiB.
	for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
		var frame object
		json.Unmarshal([]byte(line), &frame)
		if strings.TrimSpace(line) != "" && (frame == nil || frame["id"] != nil) {
			key, content := answer(line, frame)
			wire.Encode(object{"jsonrpc": "2.0", "id": frame["id"], key: content})
		}
	}
}
