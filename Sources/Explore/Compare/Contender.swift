public import Datapath
public import Kernel
public import MapABI

/// One side of a comparison of datapaths: the model, or programs in this kernel.
public enum Contender: HookInterpreter, ~Copyable {
  case model(Model)
  case kernel(KernelCluster)

  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(any Error) -> HookResult {
    switch consume self {
    case .model(let model):
      self = .model(model)
      return try model.run(attachment, on: input, state: state)
    case .kernel(var cluster):
      do throws(KernelError) {
        let result = try cluster.run(attachment, on: input, state: state)
        self = .kernel(cluster)
        return result
      } catch {
        self = .kernel(cluster)
        throw error
      }
    }
  }
}
