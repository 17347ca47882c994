package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) schemaCommand() *cobra.Command {
	return group("schema", "Print the schemas of Tidemark's own files", a.schemaConfigCommand())
}

func (a *app) schemaConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the JSON Schema of the pipeline file, by which editors complete and check it",
		Long: "Prints the JSON Schema (draft 2020-12) of the pipeline file. Save it beside your pipelines and put this line\n" +
			"first into each file; editors with the YAML language server then complete keys and show what they mean:\n\n" +
			"  # yaml-language-server: $schema=./tidemark.schema.json",
		Args: cobra.NoArgs,
		RunE: a.command(func(context.Context, []string) error {
			if _, err := a.out.Write(pipeline.JSONSchema()); err != nil {
				return fmt.Errorf("write the schema: %w", err)
			}
			return nil
		}),
	}
}
