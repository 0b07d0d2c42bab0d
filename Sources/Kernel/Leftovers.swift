/// What outlives a process that is killed, its helpers included.
///
/// Programs, maps, links, namespaces and devices are held by descriptors alone: nothing is pinned, nothing is named, and
/// all of it goes with the process. A cgroup is a folder; that one stays.
public enum Leftovers {
  /// Removes what killed processes have left behind. Costs little, and harms no process that lives.
  public static func sweep() { OwnCgroup.sweep() }
}
