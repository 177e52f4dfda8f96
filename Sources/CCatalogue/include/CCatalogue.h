// Data files of Classify, Courier, Separability and Censor as bytes of the program. `#embed` costs no compile time, where a
// Swift array literal of the same 70 KB takes the compiler half a minute.
#ifndef WIRETAG_CCATALOGUE_H
#define WIRETAG_CCATALOGUE_H

#include <stddef.h>

/// Bytes of Sources/Classify/Resources/services.yaml; they live as long as the program.
const unsigned char *wiretag_services_yaml(size_t *count);
/// Bytes of Sources/Classify/Resources/calibration.yaml; they live as long as the program.
const unsigned char *wiretag_calibration_yaml(size_t *count);
/// Bytes of Sources/Classify/Resources/shape.yaml; they live as long as the program.
const unsigned char *wiretag_shape_yaml(size_t *count);
/// Bytes of Sources/Courier/Resources/topics.tsv; they live as long as the program.
const unsigned char *wiretag_topics_tsv(size_t *count);
/// Bytes of Sources/Separability/Resources/act.json; they live as long as the program.
const unsigned char *wiretag_act_json(size_t *count);
/// Bytes of Sources/Censor/Resources/policies.yaml; they live as long as the program.
const unsigned char *wiretag_policies_yaml(size_t *count);
/// Bytes of Sources/Censor/Resources/recovery.yaml; they live as long as the program.
const unsigned char *wiretag_recovery_yaml(size_t *count);

#endif
