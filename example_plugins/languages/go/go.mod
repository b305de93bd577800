module note_builds

go 1.19
