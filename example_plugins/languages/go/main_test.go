package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// What the plugin answers when it is given settings and then an event of a build.
func answers(t *testing.T, config string, build, status int) []string {
	t.Helper()
	if err := os.Chdir(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	settings.FailuresOnly = false
	hello := fmt.Sprintf(`{"id":"i","method":"initialize","params":`+
		`{"protocol_versions":[1],"config":%s}}`, config)
	event := fmt.Sprintf(`{"id":"e","method":"event","params":{"event":`+
		`{"id":"e:%d","data":{"build":%[1]d,"buildStatus":%d}}}}`, build, status)
	var wire bytes.Buffer
	serve(strings.NewReader(hello+"\n"+event+"\n"), &wire)
	return strings.Split(strings.TrimSpace(wire.String()), "\n")
}

func TestABuildIsNoted(t *testing.T) {
	if answer := answers(t, "{}", 7, 1)[1]; answer != `{"id":"e","jsonrpc":"2.0","result":{}}` {
		t.Error(answer)
	}
	if received, err := os.ReadFile("received.log"); string(received) != "e:7\t7\n" {
		t.Error(string(received), err)
	}
}

func TestASuccessMayBeSkipped(t *testing.T) {
	answer := answers(t, `{"failures_only":true}`, 8, 0)[1]
	if !strings.Contains(answer, `"status":"skipped"`) {
		t.Error(answer)
	}
}

func TestAWrongSettingIsNamed(t *testing.T) {
	var answer struct {
		Error struct {
			Code int
			Data struct{ Errors []struct{ Path string } }
		}
	}
	line := answers(t, `{"failures_only":"yes"}`, 9, 1)[0]
	if err := json.Unmarshal([]byte(line), &answer); err != nil || answer.Error.Code != 422 {
		t.Fatal(line, err)
	}
	if path := answer.Error.Data.Errors[0].Path; path != "settings.failures_only" {
		t.Error(path)
	}
}
