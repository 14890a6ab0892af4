package export

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves /metrics. It asks for the state at each scrape, so that it
// shows a new run once there is one; if it cannot be read, the scrape fails with the reason.
// While the state stays as it is, the samples are not read again.
func Handler(state func() (State, error)) http.Handler {
	var last snapshot
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, req *http.Request) {
		s, err := state()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reg, err := last.of(s)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, req)
	})
	return mux
}

// snapshot keeps the metrics of the state that was asked for last.
type snapshot struct {
	sync.Mutex
	digest [sha256.Size]byte
	reg    *prometheus.Registry
}

// of gives the metrics of a state, which holds the digests of all samples.
func (k *snapshot) of(s State) (*prometheus.Registry, error) {
	k.Lock()
	defer k.Unlock()
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	if digest := sha256.Sum256(text); k.reg == nil || digest != k.digest {
		reg, err := s.Registry()
		if err != nil {
			return nil, err
		}
		k.digest, k.reg = digest, reg
	}
	return k.reg, nil
}
