// A plugin in Go with its standard library alone: logs each finished build, and keeps a
// list of what it handled. The protocol is in protocol.go.
package main

import (
	"fmt"
	"os"
	"strings"
)

var manifest = object{
	"protocol_version": 1, "name": "note_builds", "version": "1.0",
	"events": []string{"build_finished"},
}

// What the operator writes below [plugins.note_builds.settings]; a wrong type is refused.
var settings struct {
	FailuresOnly bool `json:"failures_only"`
}

// What a real plugin signs in with. Never print one.
var secrets map[string]string

// What this plugin looks at of an event; docs/protocol.md has the rest.
type event struct {
	ID   string
	Data struct {
		Build, BuildStatus int
		DependentIds       []int
		URL                string
	}
}

// Your code goes here. It returns the result, or why there is none.
func handle(e event, redelivered bool) (object, error) {
	if settings.FailuresOnly && e.Data.BuildStatus == 0 {
		return object{"status": "skipped", "note": "it succeeded"}, nil
	}
	builds := fmt.Sprint(append([]int{e.Data.Build}, e.Data.DependentIds...))
	line := e.ID + "\t" + strings.Trim(builds, "[]") + "\n"
	if redelivered {
		if known, _ := os.ReadFile("received.log"); strings.Contains(string(known), line) {
			return object{}, nil
		}
	}
	received, err := os.OpenFile("received.log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer received.Close()
	if _, err = received.WriteString(line); err != nil {
		return nil, err
	}
	fmt.Printf("build ended with status %d: %s\n", e.Data.BuildStatus, e.Data.URL)
	return object{}, nil
}

func main() {
	wire := os.Stdout
	os.Stdout = os.Stderr // What is printed is log.
	serve(os.Stdin, wire)
}
