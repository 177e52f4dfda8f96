#include "CCatalogue.h"

#ifndef __has_embed
#error "this file needs #embed (clang 19 or newer, as in Swift 6.2 toolchains)"
#endif
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char services[] = {
#embed "../Classify/Resources/services.yaml"
};

static const unsigned char calibration[] = {
#embed "../Classify/Resources/calibration.yaml"
};

static const unsigned char shape[] = {
#embed "../Classify/Resources/shape.yaml"
};

static const unsigned char topics[] = {
#embed "../Courier/Resources/topics.tsv"
};

static const unsigned char act[] = {
#embed "../Separability/Resources/act.json"
};

static const unsigned char policies[] = {
#embed "../Censor/Resources/policies.yaml"
};

static const unsigned char recovery[] = {
#embed "../Censor/Resources/recovery.yaml"
};

const unsigned char *wiretag_services_yaml(size_t *count) {
  *count = sizeof services;
  return services;
}

const unsigned char *wiretag_calibration_yaml(size_t *count) {
  *count = sizeof calibration;
  return calibration;
}

const unsigned char *wiretag_shape_yaml(size_t *count) {
  *count = sizeof shape;
  return shape;
}

const unsigned char *wiretag_topics_tsv(size_t *count) {
  *count = sizeof topics;
  return topics;
}

const unsigned char *wiretag_act_json(size_t *count) {
  *count = sizeof act;
  return act;
}

const unsigned char *wiretag_policies_yaml(size_t *count) {
  *count = sizeof policies;
  return policies;
}

const unsigned char *wiretag_recovery_yaml(size_t *count) {
  *count = sizeof recovery;
  return recovery;
}
