package flights

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

//go:embed january.csv.gz
var extract []byte

// Schema is the Avro schema of an event, and Pipeline the pipeline file that computes hourly departures from the events.
var (
	//go:embed flights.avsc
	Schema []byte
	//go:embed flights.yaml
	Pipeline []byte
)

// newYork is the zone of the source's clock times. In January there is no daylight saving to ask a time zone database about.
var newYork = time.FixedZone("EST", -5*60*60)

// Departure is a flight that left.
type Departure struct {
	Carrier     string
	Flight      int
	Tail        string // "" when the source doesn't know it
	Origin      string
	Destination string
	Scheduled   time.Time // UTC
	Delay       time.Duration
	Kilometres  int64
}

// Left is when the aeroplane really left, to the minute.
func (d *Departure) Left() time.Time { return d.Scheduled.Add(d.Delay) }

// January gives the month's departures in the order of the source, and how many flights were cancelled.
func January() (departures []Departure, cancelled int, err error) {
	zipped, err := gzip.NewReader(bytes.NewReader(extract))
	if err != nil {
		return nil, 0, fmt.Errorf("open the embedded flights: %w", err)
	}
	rows := csv.NewReader(zipped)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		return nil, 0, fmt.Errorf("read the header of the embedded flights: %w", err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return departures, cancelled, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read the embedded flights: %w", err)
		}
		if row[6] == "" {
			cancelled++
			continue
		}
		d, err := departure(row)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return nil, 0, fmt.Errorf("embedded flights, line %d: %w", line, err)
		}
		departures = append(departures, d)
	}
}

const kilometresPerMile = 1.609344

func departure(row []string) (Departure, error) {
	flight, err := strconv.Atoi(row[1])
	if err != nil {
		return Departure{}, fmt.Errorf("flight number: %w", err)
	}
	scheduled, err := time.ParseInLocation("2006-01-02T15:04", row[5], newYork)
	if err != nil {
		return Departure{}, fmt.Errorf("scheduled departure: %w", err)
	}
	minutes, err := strconv.Atoi(row[6])
	if err != nil {
		return Departure{}, fmt.Errorf("departure delay: %w", err)
	}
	miles, err := strconv.Atoi(row[7])
	if err != nil {
		return Departure{}, fmt.Errorf("distance: %w", err)
	}
	return Departure{
		Carrier: row[0], Flight: flight, Tail: row[2], Origin: row[3], Destination: row[4],
		Scheduled:  scheduled.UTC(),
		Delay:      time.Duration(minutes) * time.Minute,
		Kilometres: int64(math.Round(float64(miles) * kilometresPerMile)),
	}, nil
}
