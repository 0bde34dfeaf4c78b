module github.com/getstroke/stroke

go 1.26
