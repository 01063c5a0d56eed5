#!/usr/bin/env bash
# Builds OpenTelemetry's Collector into FOLDER: its receiver of OTLP, and the exporter that writes files. Needs Go.
# Nothing but the versions stands here: Go's checksum database vouches for what they are.
set -euo pipefail
folder=${1:?usage: scripts/collector.sh FOLDER}
version=0.165.0 stable=1.71.0
contrib=github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter
core=go.opentelemetry.io/collector
mkdir -p "$folder/source"
cd "$folder/source"
cat >main.go <<'GO'
package main

import (
	"context"
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.uber.org/zap"
)

// What it says of itself goes to stderr. The usual factory brings the clients of three clouds for more than that.
func logger(context.Context, telemetry.LoggerSettings, component.Config) (*zap.Logger, component.ShutdownFunc, error) {
	made, err := zap.NewProduction()
	return made, nil, err
}

func factories() (otelcol.Factories, error) {
	receivers, err := otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())
	if err != nil {
		return otelcol.Factories{}, err
	}
	exporters, err := otelcol.MakeFactoryMap[exporter.Factory](fileexporter.NewFactory())
	none := func() component.Config { return &struct{}{} }
	own := telemetry.NewFactory(none, telemetry.WithCreateLogger(logger))
	return otelcol.Factories{Receivers: receivers, Exporters: exporters, Telemetry: own}, err
}

func main() {
	providers := confmap.ResolverSettings{
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
		DefaultScheme:     "file",
	}
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo:              component.BuildInfo{Command: "otelcol", Version: "tests"},
		Factories:              factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: providers},
	})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}
GO
rm -f go.mod go.sum
go mod init collector 2>/dev/null
go get "$core/otelcol@v$version" "$core/receiver/otlpreceiver@v$version" "$contrib@v$version" \
  "$core/confmap/provider/fileprovider@v$stable" 2>/dev/null
CGO_ENABLED=0 go build -o ../otelcol .
