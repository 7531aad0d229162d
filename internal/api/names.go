package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strings"
)

// names returns the exported declarations of a package in order: functions, methods of
// exported types, fields of exported structs and so on, without the names of parameters.
// A program has none.
func names(files map[string][]byte) ([]string, error) {
	var lines []string
	for name, source := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if file.Name.Name == "main" {
			return nil, nil
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				lines = append(lines, function(d)...)
			case *ast.GenDecl:
				lines = append(lines, group(d)...)
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil // one declaration for each system
}

func function(d *ast.FuncDecl) []string {
	if !d.Name.IsExported() {
		return nil
	}
	rest := d.Name.Name + text(d.Type.TypeParams, "[", "]") + signature(d.Type)
	if d.Recv == nil {
		return []string{"func " + rest}
	}
	receiver := source(d.Recv.List[0].Type)
	if !ast.IsExported(strings.TrimLeft(receiver, "*")) {
		return nil
	}
	return []string{"method (" + receiver + ") " + rest}
}

// group returns the lines of constants, variables or types.
func group(d *ast.GenDecl) []string {
	var lines []string
	implied := "" // the type of a constant that repeats what is above it
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				lines = append(lines, typeLines(s)...)
			}
		case *ast.ValueSpec:
			if s.Type != nil || s.Values != nil {
				implied = ""
			}
			if s.Type != nil {
				implied = " " + source(s.Type)
			}
			for _, name := range s.Names {
				if name.IsExported() {
					lines = append(lines, d.Tok.String()+" "+name.Name+implied)
				}
			}
		}
	}
	return lines
}

// typeLines returns the line of a type, and one for each field or method in it.
func typeLines(s *ast.TypeSpec) []string {
	head := "type " + s.Name.Name + text(s.TypeParams, "[", "]")
	switch t := s.Type.(type) {
	case *ast.StructType:
		head += " struct"
		return append([]string{head}, members(head, t.Fields)...)
	case *ast.InterfaceType:
		head += " interface"
		return append([]string{head}, members(head, t.Methods)...)
	}
	if s.Assign.IsValid() {
		head += " ="
	}
	return []string{head + " " + source(s.Type)}
}

func members(head string, list *ast.FieldList) []string {
	var lines []string
	hidden := false
	for _, field := range list.List {
		kind := " " + source(field.Type)
		if method, ok := field.Type.(*ast.FuncType); ok && strings.HasSuffix(head, "interface") {
			kind = signature(method)
		}
		if field.Names == nil {
			lines = append(lines, head+", embedded"+kind)
		}
		for _, name := range field.Names {
			if name.IsExported() {
				lines = append(lines, head+", "+name.Name+kind)
			} else {
				hidden = true
			}
		}
	}
	if hidden && strings.HasSuffix(head, "interface") {
		lines = append(lines, head+", unexported methods") // so no host can implement it
	}
	return lines
}

// signature returns parameters and results by their types alone.
func signature(t *ast.FuncType) string {
	results := text(nameless(t.Results), "(", ")")
	if t.Results.NumFields() == 1 {
		results = results[1 : len(results)-1]
	}
	if results != "" {
		results = " " + results
	}
	return text(nameless(t.Params), "(", ")") + results
}

// nameless returns a list in which each field has a line of its own and no name.
func nameless(list *ast.FieldList) *ast.FieldList {
	if list == nil {
		return nil
	}
	bare := new(ast.FieldList)
	for _, field := range list.List {
		for range max(1, len(field.Names)) {
			bare.List = append(bare.List, &ast.Field{Type: field.Type})
		}
	}
	return bare
}

// text returns a list of fields between brackets; nothing for a list that is not there.
func text(list *ast.FieldList, open, end string) string {
	if list == nil {
		return ""
	}
	var fields []string
	for _, field := range list.List {
		var names []string
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
		fields = append(fields, strings.TrimPrefix(strings.Join(names, ", ")+" "+source(field.Type), " "))
	}
	return open + strings.Join(fields, ", ") + end
}

// source returns an expression as it would stand in a file, on one line.
func source(expr ast.Expr) string {
	if f, ok := expr.(*ast.FuncType); ok {
		return "func" + signature(f)
	}
	var b bytes.Buffer
	printer.Fprint(&b, token.NewFileSet(), expr) // a buffer takes everything
	return strings.Join(strings.Fields(b.String()), " ")
}
