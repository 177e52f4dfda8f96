// QUICKeys may hold: what QUIC's Initial packets need of cryptography, through swift-crypto. No parsing.
