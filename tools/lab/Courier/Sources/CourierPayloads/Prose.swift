/// Text of a wanted length, drawn from common words, so that it compresses about as text does.
public enum Script: String, Sendable, CaseIterable {
  case latin
  /// Two bytes a letter in UTF-8 and UTF-16.
  case cyrillic

  /// So many characters of words with single spaces.
  public func text(_ characters: Int, using random: inout SeededGenerator) -> String {
    var text = "", count = 0
    while count < characters {
      let word = words[Int(random.next() % UInt64(words.count))]
      text += word + " "
      count += word.count + 1
    }
    return String(text.prefix(max(0, characters)))
  }

  private var words: [String] {
    switch self {
    case .latin: Self.english
    case .cyrillic: Self.russian
    }
  }

  private static let english = """
    a about after again all also always and any are as at back be because been before but by call can come could day did
    do does done down each else even every few find first five for from get give go going good got great had half has have
    he hello help her here him his home hope hour how if in into is it its just keep kind know last late later leave let
    like little long look made make many maybe me meet message might minute more morning most much must my name need never
    new next nice night no not nothing now of off often ok old on once one only or other our out over past people photo
    place please really right said same say see send she should since so some something soon still such sure take talk tell
    than thank that the their them then there these they thing think this those three time to today together tomorrow
    tonight too train two under until up us very wait walk want was way we week well were what when where which while who
    why will with work would write year yes yesterday yet you your
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  private static let russian = """
    а без будем будет бы был была в вам вас весь вечером вот все всё вчера где да давай даже два дела день для до дом
    домой если есть еще ещё же за завтра здесь и идти из или им как когда кто ли лучше мама меня минут мне много может
    можно мой мы на надо нам нас не нет ничего но ну о один он она они от очень пока после потом почему при привет про
    просто раз с сегодня сейчас скоро со спасибо так там тебе тебя теперь то тогда тоже только ты у уже утром хорошо хочу
    час чем через что чтобы эта это этот я
    """.split(whereSeparator: \.isWhitespace).map(String.init)
}
