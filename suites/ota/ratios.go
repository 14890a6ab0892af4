package ota

import (
	"unsafe"

	"rigor/firmware/ota/patch"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/ota/delta"
)

// ratios are how large a package's payload is beside the image that it makes. Where images are linked
// to their slots they are so, too, for other ways to make the payload of a difference.
func (k *kit) ratios(p *ota.Package, to, change string) ([]measure.Sample, error) {
	m, err := p.Decode()
	if err != nil {
		return nil, err
	}
	of := func(name string, payload []byte) measure.Sample {
		return sample(measure.Under(measure.PatchRatio, name), measure.PPM, int64(len(payload))*1e6/int64(m.ImageSize))
	}
	all := []measure.Sample{
		of(change, p.Payload),
		sample(measure.PatchMemory, measure.Bytes, int64(unsafe.Sizeof(patch.Decoder{}))), // with pointers of the host, which are as long or longer
	}
	if k.layout.Origin == 0 || change == measure.WholeImage {
		return all, nil
	}
	for slot, name := range []string{measure.SameSlot, measure.Unmoved} {
		next, err := k.program(to, slot)
		if err != nil {
			return nil, err
		}
		payload, err := delta.Payload(k.base.Image, next.Image)
		if err != nil {
			return nil, err
		}
		all = append(all, of(measure.Under(change, name), payload))
	}
	return all, nil
}
