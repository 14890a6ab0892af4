package monitoring

import (
	"bytes"
	"encoding/json"
)

// The part of Grafana's dashboard JSON model, schema 39, that is used here.
type (
	grafana struct {
		UID           string         `json:"uid"`
		Title         string         `json:"title"`
		Description   string         `json:"description"`
		Tags          []string       `json:"tags"`
		SchemaVersion int            `json:"schemaVersion"`
		Editable      bool           `json:"editable"`
		GraphTooltip  int            `json:"graphTooltip"` // 1: a crosshair over all panels
		Time          timeRange      `json:"time"`
		Refresh       string         `json:"refresh"`
		Templating    list[variable] `json:"templating"`
		Annotations   list[string]   `json:"annotations"`
		Links         []link         `json:"links"`
		Panels        []panel        `json:"panels"`
	}

	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}

	list[T any] struct {
		List []T `json:"list"`
	}

	link struct {
		Title       string   `json:"title"`
		Type        string   `json:"type"`
		Tags        []string `json:"tags"`
		AsDropdown  bool     `json:"asDropdown"`
		IncludeVars bool     `json:"includeVars"`
		KeepTime    bool     `json:"keepTime"`
	}

	source struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}

	variable struct {
		Name       string  `json:"name"`
		Label      string  `json:"label"`
		Type       string  `json:"type"`
		Query      string  `json:"query"`
		Regex      string  `json:"regex,omitempty"`
		Datasource *source `json:"datasource,omitempty"`
		Multi      bool    `json:"multi"`
		IncludeAll bool    `json:"includeAll"`
		AllValue   string  `json:"allValue,omitempty"`
		Current    *choice `json:"current,omitempty"`
		Refresh    int     `json:"refresh,omitempty"` // 2: when the time range changes
		Sort       int     `json:"sort,omitempty"`    // 1: by name
	}

	choice struct {
		Text  string `json:"text"`
		Value string `json:"value"`
	}

	panel struct {
		ID          int            `json:"id"`
		Type        string         `json:"type"`
		Title       string         `json:"title"`
		Description string         `json:"description,omitempty"`
		GridPos     gridPos        `json:"gridPos"`
		Datasource  *source        `json:"datasource,omitempty"`
		Repeat      string         `json:"repeat,omitempty"`
		Direction   string         `json:"repeatDirection,omitempty"`
		Targets     []target       `json:"targets,omitempty"`
		FieldConfig *fieldConfig   `json:"fieldConfig,omitempty"`
		Options     map[string]any `json:"options,omitempty"`
		Transform   []transform    `json:"transformations,omitempty"`
	}

	gridPos struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}

	target struct {
		RefID    string `json:"refId"`
		Expr     string `json:"expr"`
		Legend   string `json:"legendFormat,omitempty"`
		Format   string `json:"format"`
		Instant  bool   `json:"instant"`
		Range    bool   `json:"range"`
		Exemplar bool   `json:"exemplar"`
	}

	fieldConfig struct {
		Defaults  fieldDefaults `json:"defaults"`
		Overrides []string      `json:"overrides"`
	}

	fieldDefaults struct {
		Unit       string         `json:"unit,omitempty"`
		Min        *int           `json:"min,omitempty"`
		Thresholds *thresholds    `json:"thresholds,omitempty"`
		Custom     map[string]any `json:"custom,omitempty"`
	}

	thresholds struct {
		Mode  string `json:"mode"`
		Steps []step `json:"steps"`
	}

	step struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"` // null: from the beginning
	}

	transform struct {
		ID      string         `json:"id"`
		Options map[string]any `json:"options"`
	}
)

// units are Grafana's names of the metrics' base units.
var units = map[string]string{
	"seconds": "s", "ratio": "percentunit", "bytes": "bytes", "bytes_per_second": "Bps", "volts": "volt", "hertz": "hertz",
	"kelvin": "kelvin", "pascals": "suffix: Pa", "decibels": "dB", "cycles": "suffix: cycles", "harts": "suffix: harts",
	"events": "short", "per_second": "cps", "": "short",
}

var datasource = &source{"prometheus", "${datasource}"}

// encode writes JSON as it is checked in.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
