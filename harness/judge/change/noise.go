package change

// Noise is how much a figure scatters from run to run while nothing changes, measured by runs
// of the same firmware (A/A). Its zero value is noise that was never measured, with which no
// verdict on hardware is given.
type Noise struct {
	Runs     int     `json:"runs"`
	Relative float64 `json:"relative"`           // standard deviation of a run, robust, relative to the median
	Widest   float64 `json:"widest"`             // the farthest run from the median, relative to it
	Unsteady string  `json:"unsteady,omitempty"` // how runs depend on those before: drift, temperature
}

// MeasureNoise takes the noise from one value per run, in the order of the runs.
func MeasureNoise(runs []int64) Noise { return Noise{Runs: len(runs)} }
