internal import MapABI

/// What a bucket is for (`RATELIMIT_USAGE_*`).
enum RateLimitUsage: UInt32 {
  case icmpv6 = 1
  case events = 2
  case sockets = 3
}

extension Run {
  /// Whether an event may be sent. A limit on all events together is not modelled; the default is none.
  mutating func takeEventToken() -> Bool {
    if config.events_map_rate_limit > 0, unmodelled == nil { unmodelled = "a rate limit on events" }
    return true
  }

  /// `ratelimit_check_and_take`: a bucket that gets `added` tokens in each interval (nanoseconds).
  mutating func takeToken(
    _ usage: RateLimitUsage, device: UInt32, added: UInt64, every interval: UInt64, burst: UInt64,
    _ state: borrowing NodeState
  ) -> Bool {
    let key = RateLimitKey(usage: usage.rawValue, netdev_idx: device)
    let original = state.maps.rateLimit[key]
    var current = original
    switch pending.find(key, in: .rateLimit, as: RateLimitValue.self) {
    case .value(let value): current = value
    case .deleted: current = nil
    case .untouched: break
    }
    guard var bucket = current else {
      let fresh = RateLimitValue(last_topup: environment.ktime, tokens: added &- 1)
      pending.put(fresh, at: key, in: .rateLimit, original: nil)
      return true
    }
    let elapsed = environment.ktime &- bucket.last_topup
    if interval > 0, elapsed > interval {
      bucket.tokens = min(bucket.tokens &+ (elapsed / interval) &* added, burst)
      bucket.last_topup = environment.ktime &- elapsed % interval
    }
    let granted = bucket.tokens > 0
    if granted { bucket.tokens -= 1 }
    pending.put(bucket, at: key, in: .rateLimit, original: original)
    return granted
  }
}
