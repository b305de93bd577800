module example.org/note_builds

go 1.19
